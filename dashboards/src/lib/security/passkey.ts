import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser';
import type { Enrolled } from '@parkline/contract';
import type { Api } from '../api/client.ts';

/** Passkeys are bound to a host name: none can be made for a bare address. */
export const mayUsePasskeys = (hostname: string): boolean =>
  !/^\[|^[\d.]+$/.test(hostname) && 'PublicKeyCredential' in globalThis;

/** Loaded when a passkey is asked for: the dialog of the second factor is on every page, and most never need it. */
const loadCeremonies = () => import('@simplewebauthn/browser');

/** The browser did not let the person finish: declined, timed out, no such key here. Others are bugs. */
export const isDeclined = (error: unknown): boolean =>
  error instanceof Error &&
  ['NotAllowedError', 'AbortError', 'InvalidStateError', 'SecurityError'].includes(error.name);

/** @throws ApiError, or an error for which `isDeclined` holds. */
export async function enrolPasskey(
  api: Pick<Api, 'passkeyEnrolment' | 'addPasskey'>,
  name: string,
): Promise<Enrolled> {
  const { options } = await api.passkeyEnrolment();
  const optionsJSON = options as PublicKeyCredentialCreationOptionsJSON;
  const { startRegistration } = await loadCeremonies();
  const response = await startRegistration({ optionsJSON });
  return api.addPasskey({ name, response: response as Parameters<typeof api.addPasskey>[0]['response'] });
}

/** @throws ApiError, or an error for which `isDeclined` holds. */
export async function provePasskey(api: Pick<Api, 'passkeyProof' | 'givePasskey'>): Promise<void> {
  const { options } = await api.passkeyProof();
  const optionsJSON = options as PublicKeyCredentialRequestOptionsJSON;
  const { startAuthentication } = await loadCeremonies();
  const response = await startAuthentication({ optionsJSON });
  await api.givePasskey({ response: response as Parameters<typeof api.givePasskey>[0]['response'] });
}

import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import type { NewPasskeyBody, PasskeyBody } from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../platform/errors.ts';

/** A passkey as it is kept. */
export interface StoredPasskey {
  readonly credentialId: Buffer;
  /** COSE key. */
  readonly publicKey: Buffer;
  readonly counter: number;
  readonly transports: readonly string[];
}

/** EdDSA, ES256, RS256 (COSE): what keys in use can do. */
const ALGORITHMS = [-8, -7, -257];

/** Whose signature counts: that of a page of this origin, for this host. */
export interface Party {
  readonly origin: string;
  readonly host: string;
}

/** Ways of reaching a key that a browser may name; what else it names is left out. */
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;
type Transport = (typeof TRANSPORTS)[number];
const transportsOf = (named: readonly string[]): Transport[] =>
  TRANSPORTS.filter((one) => named.includes(one));

/** @throws AppError 'conflict' where the park is reached by a bare address: passkeys are bound to a name. */
export function partyOf(request: FastifyRequest, publicUrl: string | undefined): Party {
  const url = new URL(publicUrl ?? `${request.protocol}://${request.host}`);
  if (/^\[|^[\d.]+$/.test(url.hostname))
    throw new AppError('conflict', 'passkeys need a host name', { details: { why: 'address_without_name' } });
  return { origin: url.origin, host: url.hostname };
}

/** What `navigator.credentials.create` is called with; the challenge in it is to be kept. */
export const enrolmentOptions = (
  party: Party,
  person: { readonly id: string; readonly login: string; readonly name: string },
  known: readonly StoredPasskey[],
) =>
  generateRegistrationOptions({
    rpName: 'Parkline',
    rpID: party.host,
    userID: new Uint8Array(Buffer.from(person.id.replaceAll('-', ''), 'hex')),
    userName: person.login,
    userDisplayName: person.name,
    attestationType: 'none',
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: known.map(named),
    authenticatorSelection: { residentKey: 'discouraged', userVerification: 'preferred' },
  });

/** @returns the key to be kept; undefined when the answer is not of this challenge and party. */
export async function checkEnrolment(
  party: Party,
  challenge: string,
  response: NewPasskeyBody['response'],
): Promise<StoredPasskey | undefined> {
  const checked = await orRefused(
    verifyRegistrationResponse({
      response: {
        ...response,
        response: { ...response.response, transports: transportsOf(response.response.transports ?? []) },
      },
      expectedChallenge: challenge,
      expectedOrigin: party.origin,
      expectedRPID: party.host,
      supportedAlgorithmIDs: ALGORITHMS,
      requireUserVerification: false, // The password was the other factor.
    }),
  );
  if (!checked?.verified) return undefined;
  const { id, publicKey, counter, transports = [] } = checked.registrationInfo.credential;
  return {
    credentialId: Buffer.from(id, 'base64url'),
    publicKey: Buffer.from(publicKey),
    counter,
    transports,
  };
}

/** What `navigator.credentials.get` is called with; the challenge in it is to be kept. */
export const proofOptions = (party: Party, known: readonly StoredPasskey[]) =>
  generateAuthenticationOptions({
    rpID: party.host,
    allowCredentials: known.map(named),
    userVerification: 'preferred',
  });

/** @returns the key's count of signatures from here on; undefined when the answer proves nothing. */
export async function checkProof(
  party: Party,
  challenge: string,
  key: StoredPasskey,
  response: PasskeyBody['response'],
): Promise<number | undefined> {
  const { userHandle, ...answer } = response.response;
  const checked = await orRefused(
    verifyAuthenticationResponse({
      response: { ...response, response: { ...answer, ...(userHandle !== undefined && { userHandle }) } },
      expectedChallenge: challenge,
      expectedOrigin: party.origin,
      expectedRPID: party.host,
      credential: { ...named(key), publicKey: new Uint8Array(key.publicKey), counter: key.counter },
      requireUserVerification: false,
    }),
  );
  return checked?.verified ? checked.authenticationInfo.newCounter : undefined;
}

const named = ({ credentialId, transports }: StoredPasskey) => ({
  id: credentialId.toString('base64url'),
  transports: transportsOf(transports),
});

/** The library throws where an answer does not hold: a forged one is an outcome, not a failure of ours. */
const orRefused = <T>(check: Promise<T>): Promise<T | undefined> => check.catch(() => undefined);

import type {
  DisplayToken,
  Enrolled,
  Factors,
  NewDisplayToken,
  NewDisplayTokenBody,
  NewPasskeyBody,
  NewTotp,
  OwnSession,
  PasskeyBody,
  PasskeyOptions,
  PasswordBody,
  RecoveryCodes,
} from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

const at = (id: string) => encodeURIComponent(id);

/** The own login: second factors, sessions, password; and the tokens of wall screens. */
export function createSecurityApi({ call }: Caller) {
  return {
    factors: (signal?: Signal) => call<Factors>('/api/me/second-factors', { signal }),
    beginTotp: (name: string) =>
      call<NewTotp>('/api/me/second-factors/totp', { method: 'POST', body: { name } }),
    confirmTotp: (id: string, code: string) =>
      call<Enrolled>(`/api/me/second-factors/totp/${at(id)}/confirm`, { method: 'POST', body: { code } }),
    passkeyEnrolment: () =>
      call<PasskeyOptions>('/api/me/second-factors/passkey/options', { method: 'POST' }),
    addPasskey: (body: NewPasskeyBody) =>
      call<Enrolled>('/api/me/second-factors/passkey', { method: 'POST', body }),
    removeFactor: (id: string) => call<undefined>(`/api/me/second-factors/${at(id)}`, { method: 'DELETE' }),
    renewRecoveryCodes: () => call<RecoveryCodes>('/api/me/recovery-codes', { method: 'POST' }),
    giveCode: (code: string) =>
      call<undefined>('/api/me/second-factor/code', { method: 'POST', body: { code } }),
    passkeyProof: () => call<PasskeyOptions>('/api/me/second-factor/passkey/options', { method: 'POST' }),
    givePasskey: (body: PasskeyBody) =>
      call<undefined>('/api/me/second-factor/passkey', { method: 'POST', body }),
    ownSessions: async (signal?: Signal) =>
      (await call<Listing<OwnSession>>('/api/me/sessions', { signal })).items,
    endSession: (id: string) => call<undefined>(`/api/me/sessions/${at(id)}`, { method: 'DELETE' }),
    endOtherSessions: () => call<undefined>('/api/me/sessions', { method: 'DELETE' }),
    changePassword: (body: PasswordBody) => call<undefined>('/api/me/password', { method: 'POST', body }),
    displayTokens: async (signal?: Signal) =>
      (await call<Listing<DisplayToken>>('/api/display-tokens', { signal })).items,
    addDisplayToken: (body: NewDisplayTokenBody) =>
      call<NewDisplayToken>('/api/display-tokens', { method: 'POST', body }),
    revokeDisplayToken: (id: string) =>
      call<undefined>(`/api/display-tokens/${at(id)}`, { method: 'DELETE' }),
  };
}

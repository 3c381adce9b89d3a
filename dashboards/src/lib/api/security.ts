import type { NewDisplayTokenBody, NewPasskeyBody, PasskeyBody, PasswordBody } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** The own login: second factors, sessions, password; and the tokens of wall screens. */
export function createSecurityApi({ ask, list }: Caller) {
  return {
    factors: (signal?: Signal) => ask('getMeSecondFactors', {}, { signal }),
    beginTotp: (name: string) => ask('createMeSecondFactorsTotp', { body: { name } }),
    confirmTotp: (id: string, code: string) =>
      ask('confirmMeSecondFactorsTotp', { path: { id }, body: { code } }),
    passkeyEnrolment: () => ask('createMeSecondFactorsPasskeyOption'),
    addPasskey: (body: NewPasskeyBody) => ask('createMeSecondFactorsPasskey', { body }),
    removeFactor: (id: string) => ask('deleteMeSecondFactor', { path: { id } }),
    renewRecoveryCodes: () => ask('createMeRecoveryCode'),
    giveCode: (code: string) => ask('createMeSecondFactorCode', { body: { code } }),
    passkeyProof: () => ask('createMeSecondFactorPasskeyOption'),
    givePasskey: (body: PasskeyBody) => ask('createMeSecondFactorPasskey', { body }),
    ownSessions: (signal?: Signal) => list('listMeSessions', {}, { signal }),
    endSession: (id: string) => ask('deleteMeSession', { path: { id } }),
    endOtherSessions: () => ask('deleteMeSessions'),
    changePassword: (body: PasswordBody) => ask('createMePassword', { body }),
    displayTokens: (signal?: Signal) => list('listDisplayTokens', {}, { signal }),
    addDisplayToken: (body: NewDisplayTokenBody) => ask('createDisplayToken', { body }),
    revokeDisplayToken: (id: string) => ask('deleteDisplayToken', { path: { id } }),
  };
}

import type { NewDisplayTokenBody, NewPasskeyBody, PasskeyBody, PasswordBody } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** The own login: second factors, sessions, password; and the tokens of wall screens. */
export function createSecurityApi({ ask, list }: Caller) {
  return {
    factors: (signal?: Signal) => ask('getMySecondFactors', {}, { signal }),
    beginTotp: (name: string) => ask('beginTotp', { body: { name } }),
    confirmTotp: (id: string, code: string) => ask('confirmTotp', { path: { id }, body: { code } }),
    passkeyEnrolment: () => ask('beginPasskey'),
    addPasskey: (body: NewPasskeyBody) => ask('addPasskey', { body }),
    removeFactor: (id: string) => ask('deleteMySecondFactor', { path: { id } }),
    renewRecoveryCodes: () => ask('renewRecoveryCodes'),
    giveCode: (code: string) => ask('giveSecondFactorCode', { body: { code } }),
    passkeyProof: () => ask('beginPasskeyProof'),
    givePasskey: (body: PasskeyBody) => ask('giveSecondFactorPasskey', { body }),
    ownSessions: (signal?: Signal) => list('listMySessions', {}, { signal }),
    endSession: (id: string) => ask('deleteMySession', { path: { id } }),
    endOtherSessions: () => ask('deleteMyOtherSessions'),
    changePassword: (body: PasswordBody) => ask('changeMyPassword', { body }),
    displayTokens: (signal?: Signal) => list('listDisplayTokens', {}, { signal }),
    addDisplayToken: (body: NewDisplayTokenBody) => ask('createDisplayToken', { body }),
    revokeDisplayToken: (id: string) => ask('deleteDisplayToken', { path: { id } }),
  };
}

import type {
  AcceptInvitationBody,
  GrantBody,
  Invitation,
  InvitationBody,
  InvitationLook,
  LoginLink,
  LoginProvider,
  NewPasswordBody,
  Person,
  PersonalExport,
  PersonPatch,
  PersonQuery,
} from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

const at = (id: string) => encodeURIComponent(id);

/** Whose people: those of the account, or those of the reader's own tenant. */
export type PeopleDoor = '' | 'my/';

/** People and their rights, invitations, forgotten passwords, and logging in through providers. */
export function createPeopleApi({ call }: Caller) {
  const person = (door: PeopleDoor, id: string) => `/api/${door}people/${at(id)}`;
  const invitation = (door: PeopleDoor, id: string) => `/api/${door}invitations/${at(id)}`;
  return {
    peoplePage: (door: PeopleDoor, query: Partial<PersonQuery>, signal?: Signal) =>
      call<Listing<Person>>(`/api/${door}people`, { query, signal }),
    person: (door: PeopleDoor, id: string, signal?: Signal) => call<Person>(person(door, id), { signal }),
    changePerson: (door: PeopleDoor, { id, version }: Person, body: PersonPatch) =>
      call<Person>(person(door, id), { method: 'PATCH', version, body }),
    switchPerson: (door: PeopleDoor, id: string, what: 'disable' | 'enable') =>
      call<Person>(`${person(door, id)}/${what}`, { method: 'POST' }),
    grant: (door: PeopleDoor, id: string, body: GrantBody) =>
      call<Person>(`${person(door, id)}/grants`, { method: 'POST', body }),
    revokeGrant: (door: PeopleDoor, { id, version }: Person, grantId: string) =>
      call<Person>(`${person(door, id)}/grants/${at(grantId)}`, { method: 'DELETE', version }),
    exportPerson: (id: string) => call<PersonalExport>(`/api/people/${at(id)}/export`),
    erasePerson: (id: string, name: string) =>
      call<undefined>(`/api/people/${at(id)}/erase`, { method: 'POST', body: { name } }),

    invitations: async (door: PeopleDoor, signal?: Signal) =>
      (await call<Listing<Invitation>>(`/api/${door}invitations`, { query: { limit: 100 }, signal })).items,
    invite: (door: PeopleDoor, body: InvitationBody) =>
      call<Invitation>(`/api/${door}invitations`, { method: 'POST', body }),
    resendInvitation: (door: PeopleDoor, id: string) =>
      call<Invitation>(`${invitation(door, id)}/resend`, { method: 'POST' }),
    revokeInvitation: (door: PeopleDoor, id: string) =>
      call<undefined>(`${invitation(door, id)}/revoke`, { method: 'POST' }),

    lookAtInvitation: (token: string, signal?: Signal) =>
      call<InvitationLook>('/api/invitation', { method: 'POST', body: { token }, signal }),
    acceptInvitation: (body: AcceptInvitationBody) =>
      call<undefined>('/api/invitation/accept', { method: 'POST', body }),
    askForReset: (login: string) =>
      call<undefined>('/api/password-reset', { method: 'POST', body: { login } }),
    resetPassword: (body: NewPasswordBody) =>
      call<undefined>('/api/password-reset/complete', { method: 'POST', body }),
    loginProviders: async (signal?: Signal) =>
      (await call<Listing<LoginProvider>>('/api/login/providers', { signal })).items,
    loginLinks: async (signal?: Signal) =>
      (await call<Listing<LoginLink>>('/api/me/login-links', { signal })).items,
    linkLogin: (providerId: string) =>
      call<{ url: string }>('/api/me/login-links', { method: 'POST', body: { providerId } }),
    unlinkLogin: (providerId: string) =>
      call<undefined>(`/api/me/login-links/${at(providerId)}`, { method: 'DELETE' }),
  };
}

import type {
  AcceptInvitationBody,
  GrantBody,
  IdentityProvider,
  InvitationBody,
  NewPasswordBody,
  NewPersonBody,
  NewProviderBody,
  Person,
  PersonPatch,
  PersonQuery,
  ProviderPatch,
} from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** Whose people: those of the account, or those of the reader's own tenant. */
export type PeopleDoor = '' | 'my/';

const doors = {
  '': {
    list: 'listPeople',
    get: 'getPerson',
    change: 'changePerson',
    disable: 'disablePerson',
    enable: 'enablePerson',
    resetFactor: 'resetPersonSecondFactor',
    grant: 'createPersonGrant',
    revokeGrant: 'deletePersonGrant',
    invitations: 'listInvitations',
    invite: 'createInvitation',
    resend: 'resendInvitation',
    revoke: 'revokeInvitation',
  },
  'my/': {
    list: 'listMyPeople',
    get: 'getMyPerson',
    change: 'changeMyPerson',
    disable: 'disableMyPerson',
    enable: 'enableMyPerson',
    resetFactor: 'resetMyPersonSecondFactor',
    grant: 'createMyPersonGrant',
    revokeGrant: 'deleteMyPersonGrant',
    invitations: 'listMyInvitations',
    invite: 'createMyInvitation',
    resend: 'resendMyInvitation',
    revoke: 'revokeMyInvitation',
  },
} as const;

/** People and their rights, invitations, forgotten passwords, and logging in through providers. */
export function createPeopleApi({ ask, list }: Caller) {
  return {
    peoplePage: (door: PeopleDoor, query: Partial<PersonQuery>, signal?: Signal) =>
      ask(doors[door].list, { query }, { signal }),
    person: (door: PeopleDoor, id: string, signal?: Signal) =>
      ask(doors[door].get, { path: { id } }, { signal }),
    changePerson: (door: PeopleDoor, { id, version }: Person, body: PersonPatch) =>
      ask(doors[door].change, { path: { id }, body }, { version }),
    switchPerson: (door: PeopleDoor, id: string, what: 'disable' | 'enable') =>
      ask(doors[door][what], { path: { id } }),
    /** Takes every second factor and session of the person away. */
    resetSecondFactor: (door: PeopleDoor, id: string) => ask(doors[door].resetFactor, { path: { id } }),
    addPerson: (body: NewPersonBody) => ask('createPerson', { body }),
    /** The link is in the answer, and nowhere again. */
    makePasswordLink: (id: string) => ask('passwordLinkPerson', { path: { id } }),
    grant: (door: PeopleDoor, id: string, body: GrantBody) => ask(doors[door].grant, { path: { id }, body }),
    revokeGrant: (door: PeopleDoor, { id, version }: Person, grantId: string) =>
      ask(doors[door].revokeGrant, { path: { id, grantId } }, { version }),
    exportPerson: (id: string) => ask('getPersonExport', { path: { id } }),
    erasePerson: (id: string, name: string) => ask('erasePerson', { path: { id }, body: { name } }),

    invitations: async (door: PeopleDoor, signal?: Signal) =>
      (await ask(doors[door].invitations, { query: { limit: 100 } }, { signal })).items,
    invite: (door: PeopleDoor, body: InvitationBody) => ask(doors[door].invite, { body }),
    resendInvitation: (door: PeopleDoor, id: string) => ask(doors[door].resend, { path: { id } }),
    revokeInvitation: (door: PeopleDoor, id: string) => ask(doors[door].revoke, { path: { id } }),

    /** Where mails go: to a mail server, or into files. */
    mailSetup: (signal?: Signal) => ask('getMailSetup', {}, { signal }),

    lookAtInvitation: (token: string, signal?: Signal) =>
      ask('lookAtInvitation', { body: { token } }, { signal }),
    acceptInvitation: (body: AcceptInvitationBody) => ask('acceptInvitation', { body }),
    askForReset: (login: string) => ask('askForPasswordReset', { body: { login } }),
    resetPassword: (body: NewPasswordBody) => ask('completePasswordReset', { body }),
    identityProviders: (signal?: Signal) => list('listIdentityProviders', {}, { signal }),
    /** What a provider has to know of us before it can be added. */
    identityProviderSetup: (signal?: Signal) => ask('getIdentityProviderSetup', {}, { signal }),
    addIdentityProvider: (body: NewProviderBody) => ask('createIdentityProvider', { body }),
    changeIdentityProvider: ({ id, version }: IdentityProvider, body: ProviderPatch) =>
      ask('changeIdentityProvider', { path: { id }, body }, { version }),
    removeIdentityProvider: ({ id, version }: IdentityProvider) =>
      ask('deleteIdentityProvider', { path: { id } }, { version }),
    loginProviders: (signal?: Signal) => list('listLoginProviders', {}, { signal }),
    loginLinks: (signal?: Signal) => list('listMyLoginLinks', {}, { signal }),
    linkLogin: (providerId: string) => ask('createMyLoginLink', { body: { providerId } }),
    unlinkLogin: (providerId: string) => ask('deleteMyLoginLink', { path: { id: providerId } }),
  };
}

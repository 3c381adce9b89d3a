import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';
import { Skill } from './faults.ts';
import { Language, Role } from './identity.ts';

/** One mailbox, nothing around it: no name, no list, nothing that could end a header. */
export const MailAddress = Type.String({
  pattern: '^[^\\s@<>,;:"()\\\\]{1,64}@[^\\s@<>,;:"()\\\\]{1,190}$',
  maxLength: 254,
});
const login = Type.String({ minLength: 3, maxLength: 200, pattern: '^\\S+$' });
const name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' });
/** At least 12 characters and none of those that everybody uses (`why: common_password`). */
const password = Type.String({ minLength: 12, maxLength: 1_000 });
const skills = Type.Array(Skill, { maxItems: 6, uniqueItems: true });
/** Ids of buildings and floors; empty: everywhere. */
const areas = Type.Array(Uuid, { maxItems: 200, uniqueItems: true });

/** A role, on a site, on a building, or (both null) on the whole account; roles of tenants: on the person's tenant. */
export const GrantBody = Type.Object({
  role: Role,
  siteId: Type.Optional(Nullable(Uuid)),
  buildingId: Type.Optional(Nullable(Uuid)),
});
export type GrantBody = Static<typeof GrantBody>;

export const PersonGrant = Type.Object({
  id: Uuid,
  role: Role,
  siteId: Nullable(Uuid),
  buildingId: Nullable(Uuid),
});
export type PersonGrant = Static<typeof PersonGrant>;

/** Somebody who is known here. */
export const Person = Type.Object({
  id: Uuid,
  login: Type.String(),
  name: Type.String(),
  /** Where mails go; null: none come. */
  email: Nullable(Type.String()),
  language: Language,
  tenantId: Nullable(Uuid),
  tenantName: Nullable(Type.String()),
  grants: Type.Array(PersonGrant),
  skills: Type.Array(Skill),
  areas: Type.Array(Uuid),
  /** Without one somebody comes in through an identity provider, or sets one through a link by mail. */
  hasPassword: Type.Boolean(),
  /** Whether a second factor is asked for when this person logs in. */
  hasSecondFactor: Type.Boolean(),
  createdAt: Instant,
  /** Last request of a session that still lives. */
  lastSeenAt: Nullable(Instant),
  disabledAt: Nullable(Instant),
  /** Since when nothing personal is left of this person. */
  erasedAt: Nullable(Instant),
  version: Type.Integer(),
});
export type Person = Static<typeof Person>;

/** By name. */
export const PersonQuery = Type.Object({
  /** Part of the name, the login or the mail address. */
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  role: Type.Optional(Role),
  tenant: Type.Optional(Uuid),
  state: Type.Optional(Type.Enum(['active', 'disabled'])),
  /** Id of the last person of the page before. */
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});
export type PersonQuery = Static<typeof PersonQuery>;

/** A person without a password, who comes in through an identity provider or a link by mail. */
export const NewPersonBody = Type.Object({
  login,
  name,
  email: Type.Optional(Nullable(MailAddress)),
  language: Type.Optional(Language),
  /** Needed for roles of tenants and for no others; a tenant's administrator leaves it out. */
  tenantId: Type.Optional(Nullable(Uuid)),
  grants: Type.Array(GrantBody, { minItems: 1, maxItems: 50 }),
  skills: Type.Optional(skills),
  areas: Type.Optional(areas),
});
export type NewPersonBody = Static<typeof NewPersonBody>;

export const PersonPatch = Type.Object({
  name: Type.Optional(name),
  email: Type.Optional(Nullable(MailAddress)),
  language: Type.Optional(Language),
  skills: Type.Optional(skills),
  areas: Type.Optional(areas),
});
export type PersonPatch = Static<typeof PersonPatch>;

/** Shown this once: opens `/reset#<token>` of the portal, where its holder chooses the password of the person. */
export const PasswordLink = Type.Object({ token: Type.String(), expiresAt: Instant });
export type PasswordLink = Static<typeof PasswordLink>;

export const GrantParams = Type.Object({ id: Uuid, grantId: Uuid });

/** What becomes of an invitation; only an open one lets somebody in. */
export const InvitationState = Type.Enum(['open', 'accepted', 'expired', 'revoked']);

export const Invitation = Type.Object({
  id: Uuid,
  login: Type.String(),
  name: Type.String(),
  email: Type.String(),
  language: Language,
  tenantId: Nullable(Uuid),
  tenantName: Nullable(Type.String()),
  grants: Type.Array(Type.Omit(PersonGrant, ['id'])),
  state: InvitationState,
  createdAt: Instant,
  /** When the mail left; null: it waits. */
  sentAt: Nullable(Instant),
  expiresAt: Instant,
});
export type Invitation = Static<typeof Invitation>;

/** Where mails go. */
export const MailSetup = Type.Object({
  /** Folder on the server where mails lie as files, because no mail server is named; null: a mail server takes them. */
  folder: Nullable(Type.String()),
});
export type MailSetup = Static<typeof MailSetup>;

/** Newest first. */
export const InvitationQuery = Type.Object({
  state: Type.Optional(InvitationState),
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});
export type InvitationQuery = Static<typeof InvitationQuery>;

/** Whoever holds the link of the mail becomes this person with these rights. The login is the mail address when left out. */
export const InvitationBody = Type.Object({
  email: MailAddress,
  login: Type.Optional(login),
  name,
  language: Type.Optional(Language),
  tenantId: Type.Optional(Nullable(Uuid)),
  grants: Type.Array(GrantBody, { minItems: 1, maxItems: 50 }),
});
export type InvitationBody = Static<typeof InvitationBody>;

const token = Type.String({ minLength: 1, maxLength: 200 });
/** The secret of a link that came by mail. */
export const LinkBody = Type.Object({ token });

/** Whom an invitation is for, as the invited person sees it. */
export const InvitationLook = Type.Object({
  login: Type.String(),
  name: Type.String(),
  accountName: Type.String(),
  expiresAt: Instant,
});
export type InvitationLook = Static<typeof InvitationLook>;

export const AcceptInvitationBody = Type.Object({
  token,
  /** As it shall be written; absent: as in the invitation. */
  name: Type.Optional(name),
  password,
});
export type AcceptInvitationBody = Static<typeof AcceptInvitationBody>;

/** Login or mail address. */
export const PasswordResetBody = Type.Object({ login: Type.String({ minLength: 1, maxLength: 200 }) });
export type PasswordResetBody = Static<typeof PasswordResetBody>;

export const NewPasswordBody = Type.Object({ token, password });
export type NewPasswordBody = Static<typeof NewPasswordBody>;

/** The name of the person as it stands: nobody is erased by a slip of the hand. */
export const EraseBody = Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }) });

/** Everything that is kept about one person, by what keeps it. */
export const PersonalExport = Type.Object({
  at: Instant,
  personId: Uuid,
  data: Type.Record(Type.String(), Type.Array(Type.Unknown())),
});
export type PersonalExport = Static<typeof PersonalExport>;

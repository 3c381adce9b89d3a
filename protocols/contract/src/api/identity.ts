import { type Static, Type } from 'typebox';
import { Nullable, Uuid } from './common.ts';

const words = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' });
/** What the park is called, in both languages: mails, reports and the portal are signed with it. */
export const ParkName = Type.Object({ en: words, zh: words }, { additionalProperties: false });
export type ParkName = Static<typeof ParkName>;

/** Each grants permissions in cloud/src/identity/permissions.ts. */
export const roles = [
  'facility_engineer',
  'technician',
  'supervisor',
  'tenant_admin',
  'tenant_employee',
  'finance_officer',
  'leasing_officer',
  'guard',
  'executive',
  'installer',
  'account_admin',
] as const;
export const Role = Type.Enum(roles);
export type Role = (typeof roles)[number];
/** Whoever has one of these belongs to a tenant; all others are of the operator. */
export const tenantRoles: readonly Role[] = ['tenant_admin', 'tenant_employee'];

export const languages = ['zh-CN', 'en'] as const;
export const Language = Type.Enum(languages);
export type Language = (typeof languages)[number];

export const LoginBody = Type.Object({
  login: Type.String({ minLength: 1, maxLength: 200 }),
  password: Type.String({ minLength: 1, maxLength: 1_000 }),
});
export type LoginBody = Static<typeof LoginBody>;

/** Makes the first administrator of an empty park; the token is printed once at install and burns with use. */
export const SetupBody = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 200 }),
  login: Type.String({ minLength: 3, maxLength: 200 }),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  password: Type.String({ minLength: 12, maxLength: 1_000 }),
  /** Demanded while the park has no name yet; one that has keeps its own. */
  park: Type.Optional(ParkName),
});
export type SetupBody = Static<typeof SetupBody>;

/**
 * `needed` while the account has no person yet: the portal then shows the set-up page. `named` where the park has its name
 * already, such as one that a file brought in.
 */
export const SetupState = Type.Object({ needed: Type.Boolean(), named: Type.Boolean() });

/** The operator of the park, as its administrators see it. */
export const Account = Type.Object({
  id: Uuid,
  /** What the command line calls it. */
  key: Type.String(),
  name: ParkName,
  version: Type.Integer(),
});
export type Account = Static<typeof Account>;

export const AccountPatch = Type.Object({ name: ParkName }, { additionalProperties: false });
export type AccountPatch = Static<typeof AccountPatch>;

export const Me = Type.Object({
  id: Uuid,
  accountId: Uuid,
  /** The operator of the park, in the reader's language. */
  accountName: Type.String(),
  /** Set for who belongs to a tenant: everything such a person is shown is bounded by that tenant's leases. */
  tenantId: Nullable(Uuid),
  tenantName: Nullable(Type.String()),
  login: Type.String(),
  name: Type.String(),
  roles: Type.Array(Role),
  permissions: Type.Array(Type.String()),
});
export type Me = Static<typeof Me>;

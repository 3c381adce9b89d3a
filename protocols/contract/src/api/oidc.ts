import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

/** Roles that a provider may bring somebody who was unknown; whoever administers is appointed by a person. */
export const DefaultRole = Type.Enum([
  ...(['facility_engineer', 'technician', 'supervisor', 'finance_officer'] as const),
  ...(['leasing_officer', 'guard', 'executive', 'installer'] as const),
]);

const name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' });
/** https; http only on this machine itself. */
const issuer = Type.String({ minLength: 1, maxLength: 500, pattern: '^https?://[^\\s?#]+$' });
const clientId = Type.String({ minLength: 1, maxLength: 500 });
/** Never given back. Null: a public client. */
const clientSecret = Nullable(Type.String({ minLength: 1, maxLength: 1_000 }));
const secondFactorAcr = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 20 });

/** An identity provider that people of the account log in through (OpenID Connect). */
export const IdentityProvider = Type.Object({
  id: Uuid,
  name: Type.String(),
  issuer: Type.String(),
  clientId: Type.String(),
  hasClientSecret: Type.Boolean(),
  /** Whether its word for a second factor counts: `amr` with mfa, or one of `secondFactorAcr`. */
  trustSecondFactor: Type.Boolean(),
  secondFactorAcr: Type.Array(Type.String()),
  /** Role of somebody who is verified there and unknown here; null: refused. */
  defaultRole: Nullable(DefaultRole),
  /** What has to be registered with the provider, letter by letter. */
  redirectUri: Type.String(),
  /** How many people log in through it. */
  people: Type.Integer(),
  version: Type.Integer(),
});
export type IdentityProvider = Static<typeof IdentityProvider>;

export const NewProviderBody = Type.Object({
  name,
  issuer,
  clientId,
  clientSecret: Type.Optional(clientSecret),
  trustSecondFactor: Type.Optional(Type.Boolean()),
  secondFactorAcr: Type.Optional(secondFactorAcr),
  defaultRole: Type.Optional(Nullable(DefaultRole)),
});
export type NewProviderBody = Static<typeof NewProviderBody>;

export const ProviderPatch = Type.Partial(NewProviderBody);
export type ProviderPatch = Static<typeof ProviderPatch>;

/** What has to be registered with a provider before it can be added, letter by letter. */
export const ProviderSetup = Type.Object({ redirectUri: Type.String() });
export type ProviderSetup = Static<typeof ProviderSetup>;

/** What the login page offers. */
export const LoginProvider = Type.Object({ id: Uuid, name: Type.String() });
export type LoginProvider = Static<typeof LoginProvider>;

/** Path of the portal to go back to after logging in. */
export const OidcStartQuery = Type.Object({ back: Type.Optional(Type.String({ maxLength: 2_000 })) });

/** What a provider sends the browser back with (RFC 6749 clause 4.1.2, RFC 9207); what else it adds is not looked at. */
export const OidcCallbackQuery = Type.Object(
  {
    state: Type.Optional(Type.String({ maxLength: 500 })),
    code: Type.Optional(Type.String({ maxLength: 4_000 })),
    iss: Type.Optional(Type.String({ maxLength: 1_000 })),
    error: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: true },
);

/** Own logins through providers. */
export const LoginLink = Type.Object({ providerId: Uuid, name: Type.String(), linkedAt: Nullable(Instant) });
export type LoginLink = Static<typeof LoginLink>;

export const LoginLinkBody = Type.Object({ providerId: Uuid });
/** Where the browser goes to prove who somebody is at the provider. */
export const LoginLinkStart = Type.Object({ url: Type.String() });

import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

/** What a person can have beside the password. */
export const factorKinds = ['totp', 'passkey'] as const;
export const FactorKind = Type.Enum(factorKinds);
export type FactorKind = (typeof factorKinds)[number];

/** 'open': nothing more is asked. 'give': a second factor is enrolled and not given yet. 'enrol': the rights need one and there is none. */
export const factorStages = ['open', 'give', 'enrol'] as const;
export type FactorStage = (typeof factorStages)[number];

/** Whether the browser's cookie is worth asking /api/me with: a page asks this first, for a refusal is an error to a browser. */
export const SessionState = Type.Object({
  active: Type.Boolean(),
  /** Absent without a session. */
  stage: Type.Optional(Type.Enum(factorStages)),
  /** What can be given; absent without a session. */
  kinds: Type.Optional(Type.Array(FactorKind)),
});
export type SessionState = Static<typeof SessionState>;

/** Six figures of an authenticator app, or a recovery code however it is typed. */
export const CodeBody = Type.Object({ code: Type.String({ minLength: 6, maxLength: 40 }) });
export type CodeBody = Static<typeof CodeBody>;

const FactorName = Type.String({ minLength: 1, maxLength: 100 });

export const Factor = Type.Object({
  id: Uuid,
  kind: FactorKind,
  name: Type.String(),
  since: Instant,
  usedAt: Nullable(Instant),
});
export type Factor = Static<typeof Factor>;

export const Factors = Type.Object({
  items: Type.Array(Factor),
  /** The person's rights need one: the last cannot be removed. */
  required: Type.Boolean(),
  recoveryCodesLeft: Type.Integer({ minimum: 0 }),
});
export type Factors = Static<typeof Factors>;

export const NewTotpBody = Type.Object({ name: FactorName });
/** Shown once; it counts when a first code was confirmed. */
export const NewTotp = Type.Object({
  id: Uuid,
  /** Base32. */
  secret: Type.String(),
  /** `otpauth://totp/...`, for a QR code. */
  uri: Type.String(),
});
export type NewTotp = Static<typeof NewTotp>;

/** `recoveryCodes` with the first factor only, and only this once. */
export const Enrolled = Type.Object({ recoveryCodes: Type.Optional(Type.Array(Type.String())) });
export type Enrolled = Static<typeof Enrolled>;

export const RecoveryCodes = Type.Object({ codes: Type.Array(Type.String()) });
export type RecoveryCodes = Static<typeof RecoveryCodes>;

/** What a browser's `navigator.credentials` is called with: WebAuthn level 3, section 5.1.9 and 5.1.10. */
export const PasskeyOptions = Type.Object({ options: Type.Unknown() });
export type PasskeyOptions = Static<typeof PasskeyOptions>;

const Base64url = Type.String({ minLength: 1, maxLength: 100_000 });
const passkeyAnswer = {
  id: Base64url,
  rawId: Base64url,
  type: Type.Literal('public-key'),
  authenticatorAttachment: Type.Optional(Type.Enum(['platform', 'cross-platform'])),
  clientExtensionResults: Type.Record(Type.String(), Type.Unknown()),
};

/** RegistrationResponseJSON of a browser. */
export const NewPasskeyBody = Type.Object({
  name: FactorName,
  response: Type.Object({
    ...passkeyAnswer,
    response: Type.Object({
      clientDataJSON: Base64url,
      attestationObject: Base64url,
      transports: Type.Optional(Type.Array(Type.String({ maxLength: 30 }), { maxItems: 10 })),
      // Browsers say again what stands in the attestation object, which alone is believed.
      authenticatorData: Type.Optional(Base64url),
      publicKey: Type.Optional(Base64url),
      publicKeyAlgorithm: Type.Optional(Type.Integer()),
    }),
  }),
});
export type NewPasskeyBody = Static<typeof NewPasskeyBody>;

/** AuthenticationResponseJSON of a browser. */
export const PasskeyBody = Type.Object({
  response: Type.Object({
    ...passkeyAnswer,
    response: Type.Object({
      clientDataJSON: Base64url,
      authenticatorData: Base64url,
      signature: Base64url,
      userHandle: Type.Optional(Type.String({ maxLength: 200 })),
    }),
  }),
});
export type PasskeyBody = Static<typeof PasskeyBody>;

export const OwnSession = Type.Object({
  id: Uuid,
  /** The one that asks. */
  current: Type.Boolean(),
  /** What the browser calls itself. */
  device: Type.String(),
  ip: Nullable(Type.String()),
  since: Instant,
  /** To the minute. */
  lastSeen: Instant,
});
export type OwnSession = Static<typeof OwnSession>;

export const PasswordBody = Type.Object({
  password: Type.String({ minLength: 1, maxLength: 1_000 }),
  newPassword: Type.String({ minLength: 12, maxLength: 1_000 }),
});
export type PasswordBody = Static<typeof PasswordBody>;

/** Lets a wall screen read, and nothing else. */
export const NewDisplayTokenBody = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100 }),
  /** Days until it ends. */
  days: Type.Integer({ minimum: 1, maximum: 731, default: 366 }),
});
export type NewDisplayTokenBody = Static<typeof NewDisplayTokenBody>;

export const DisplayToken = Type.Object({
  id: Uuid,
  name: Type.String(),
  /** Who made it: it shows what that person may read, and ends with that person's rights. */
  madeBy: Type.String(),
  createdAt: Instant,
  expiresAt: Instant,
  /** To the minute. */
  lastSeen: Nullable(Instant),
});
export type DisplayToken = Static<typeof DisplayToken>;

/** `token` is shown this once: `Authorization: Bearer <token>`. */
export const NewDisplayToken = Type.Object({ id: Uuid, token: Type.String(), expiresAt: Instant });
export type NewDisplayToken = Static<typeof NewDisplayToken>;

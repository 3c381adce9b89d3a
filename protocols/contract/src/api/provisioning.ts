import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

const words = (most: number) => Type.String({ minLength: 1, maxLength: most });
const LocalName = Type.Object({ en: words(200), zh: words(200) });
/** SPKI PEM of a public key. */
const PublicKeyPem = Type.String({ minLength: 80, maxLength: 400 });
const Base64url = (most: number) => Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: most });

/** A gateway to be: it may be added long before it is unpacked. */
export const GatewayBody = Type.Object({
  /** Short name within the park, 'gw-a'. */
  key: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
  name: LocalName,
  buildingId: Uuid,
});
export type GatewayBody = Static<typeof GatewayBody>;
export const GatewayPatch = Type.Partial(GatewayBody);
export type GatewayPatch = Static<typeof GatewayPatch>;

/** How far a gateway has come; each step with its time, null: not yet. */
export const ProvisioningSteps = Type.Object({
  codeMadeAt: Nullable(Instant),
  claimedAt: Nullable(Instant),
  connectedAt: Nullable(Instant),
  configuredAt: Nullable(Instant),
  firstValueAt: Nullable(Instant),
});
export type ProvisioningSteps = Static<typeof ProvisioningSteps>;

/** What an administrator sees of a gateway beside its state. */
export const GatewayIdentityView = Type.Object({
  id: Uuid,
  key: Type.String(),
  name: LocalName,
  buildingId: Uuid,
  version: Type.Integer(),
  steps: ProvisioningSteps,
  revokedAt: Nullable(Instant),
  /** It is asked to make new keys and was not heard with them yet; null: it is not. */
  rotation: Nullable(
    Type.Object({
      askedAt: Instant,
      /** What it has not done by then it is not asked any more. */
      until: Instant,
    }),
  ),
  /** Null: it was never claimed, or its keys were trusted by hand. */
  credentials: Nullable(
    Type.Object({
      issuedAt: Nullable(Instant),
      expiresAt: Nullable(Instant),
      /** The gateway renews from here on. */
      renewAt: Nullable(Instant),
      /** SHA-256 of the signing key, base64: what `parkline gateway claim` showed on site. */
      fingerprint: Type.String(),
      /** Why nothing could be signed lately, for a person. */
      failure: Nullable(Type.String()),
    }),
  ),
});
export type GatewayIdentityView = Static<typeof GatewayIdentityView>;

/** A one-time code; `code` is shown once, when it is made. */
export const ClaimCode = Type.Object({
  id: Uuid,
  createdAt: Instant,
  expiresAt: Instant,
  createdBy: Nullable(Type.String()),
  state: Type.Union([
    Type.Literal('open'),
    Type.Literal('used'),
    Type.Literal('expired'),
    Type.Literal('revoked'),
  ]),
  usedAt: Nullable(Instant),
  /** Somebody else tried it after it was used. */
  reusedAt: Nullable(Instant),
});
export type ClaimCode = Static<typeof ClaimCode>;
export const NewClaimCode = Type.Object({ ...ClaimCode.properties, code: Type.String() });
export type NewClaimCode = Static<typeof NewClaimCode>;
export const ClaimCodeBody = Type.Object({
  hours: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 168 })),
});
export const ClaimCodeParams = Type.Object({ id: Uuid, codeId: Uuid });

/** The code as it is typed: groups of four, hyphens and case do not matter. */
const TypedCode = Type.String({ minLength: 1, maxLength: 64 });
/** Site that the gateway says it stands on: its id or its key. */
const NamedSite = Type.Optional(words(100));

/** POST /api/claims: what is to be signed. */
export const ClaimBody = Type.Object({ code: TypedCode, site: NamedSite });
export type ClaimBody = Static<typeof ClaimBody>;
export const ClaimChallenge = Type.Object({
  /** 32 random bytes, base64url. */
  challenge: Type.String(),
  expiresAt: Instant,
  gateway: Type.Object({ id: Uuid, key: Type.String(), name: LocalName }),
  site: Type.Object({ id: Uuid, key: Type.String(), name: LocalName }),
});
export type ClaimChallenge = Static<typeof ClaimChallenge>;

/** Public halves of what a gateway made for itself. */
export const GatewayKeys = Type.Object({
  /** Ed25519: signs everything it sends. */
  signing: PublicKeyPem,
  /** User of the message server. */
  nkey: Type.String({ pattern: '^U[A-Z2-7]{55}$' }),
  /** P-256: its TLS certificate. */
  tls: PublicKeyPem,
});
export type GatewayKeys = Static<typeof GatewayKeys>;

/** Each key signs the same text: {@link claimText} or {@link rotationText}. */
export const KeyProofs = Type.Object({
  signing: Base64url(100),
  nkey: Base64url(100),
  /** ECDSA with SHA-256, IEEE P1363. */
  tls: Base64url(100),
});
export type KeyProofs = Static<typeof KeyProofs>;

/** POST /api/claims/complete. */
export const ClaimCompletion = Type.Object({
  code: TypedCode,
  challenge: Base64url(64),
  keys: GatewayKeys,
  proofs: KeyProofs,
  site: NamedSite,
});
export type ClaimCompletion = Static<typeof ClaimCompletion>;

/** What was signed for the keys of a gateway. */
export const IssuedCredentials = Type.Object({
  jwt: Type.String(),
  certificate: Type.String(),
  ca: Type.String(),
  issuedAt: Instant,
  expiresAt: Instant,
});
export type IssuedCredentials = Static<typeof IssuedCredentials>;

export const ClaimReply = Type.Object({
  gatewayId: Uuid,
  name: Type.String(),
  timezone: Type.String(),
  site: Type.Object({ id: Uuid, key: Type.String() }),
  /** Where the message server is. */
  natsUrl: Type.String(),
  /** Ed25519, SPKI PEM: signs receipts, commands and configurations. */
  cloudKey: Type.String(),
  /** Text of gateway.yaml, for a gateway that has none yet. */
  config: Type.String(),
  /** Null: the keys are accepted and the signer has not signed yet: ask again with the same keys. */
  credentials: Nullable(IssuedCredentials),
});
export type ClaimReply = Static<typeof ClaimReply>;

/** Why a claim is refused: `details.why`. */
export const claimFaults = [
  'unknown_code',
  'expired',
  'revoked',
  'used',
  'other_site',
  'challenge',
  'signature',
  'key_in_use',
] as const;
export type ClaimFault = (typeof claimFaults)[number];

/** The text that all three keys sign: it names the code, the challenge and the keys, so nothing of it fits elsewhere. */
export const claimText = (code: string, challenge: string, keys: GatewayKeys): string =>
  ['parkline claim 1', code, challenge, keys.signing.trim(), keys.nkey, keys.tls.trim()].join('\n');

/** The text that three new keys sign when a gateway changes its keys. */
export const rotationText = (gatewayId: string, at: number, keys: GatewayKeys): string =>
  ['parkline rotation 1', gatewayId, String(at), keys.signing.trim(), keys.nkey, keys.tls.trim()].join('\n');

/** Letters and digits that nobody mistakes for one another (Crockford's base 32). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 19 random characters (95 bits) and one that checks them. */
export const CLAIM_CODE_LENGTH = 20;

/** The character that a code ends in: a slip of the finger or two swapped neighbours change it. Pure. */
function checkOf(random: string): string {
  const sum = [...random].reduce((total, char, at) => total + ALPHABET.indexOf(char) * (2 * at + 1), 0);
  return ALPHABET[sum % 32] ?? '';
}

/** `bytes` are 19 random ones. Pure. @returns 'XXXX-XXXX-XXXX-XXXX-XXXX'. */
export function formatClaimCode(bytes: Uint8Array): string {
  const random = [...bytes.subarray(0, CLAIM_CODE_LENGTH - 1)].map((byte) => ALPHABET[byte & 31]).join('');
  return `${random}${checkOf(random)}`.replace(/(.{4})(?!$)/g, '$1-');
}

/** A typed code without hyphens, spaces and case; O is 0, I and L are 1. Undefined when it is mistyped. Pure. */
export function readClaimCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  if (code.length !== CLAIM_CODE_LENGTH || [...code].some((char) => !ALPHABET.includes(char)))
    return undefined;
  return checkOf(code.slice(0, -1)) === code.at(-1) ? code : undefined;
}

/** One configuration that was offered to a gateway. */
export const GatewayConfigView = Type.Object({
  n: Type.Integer(),
  source: Type.Union([Type.Literal('made'), Type.Literal('file'), Type.Literal('gateway')]),
  createdAt: Instant,
  createdBy: Nullable(Type.String()),
  state: Type.Union([
    Type.Literal('waiting'),
    Type.Literal('sent'),
    Type.Literal('applied'),
    Type.Literal('kept'),
    Type.Literal('rolled-back'),
    Type.Literal('refused'),
    Type.Literal('overtaken'),
  ]),
  why: Type.String(),
  endedAt: Nullable(Instant),
});
export type GatewayConfigView = Static<typeof GatewayConfigView>;
export const GatewayConfigText = Type.Object({ ...GatewayConfigView.properties, yaml: Type.String() });
export type GatewayConfigText = Static<typeof GatewayConfigText>;
export const GatewayConfigParams = Type.Object({
  id: Uuid,
  n: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
});
/** Absent: made from what the cloud knows. */
export const GatewayConfigBody = Type.Object({
  yaml: Type.Optional(Type.String({ minLength: 1, maxLength: 900_000 })),
});
export type GatewayConfigBody = Static<typeof GatewayConfigBody>;

/** A line of a comparison: in both, only before, only after. */
export const DiffLine = Type.Object({
  how: Type.Union([Type.Literal('same'), Type.Literal('removed'), Type.Literal('added')]),
  text: Type.String(),
});
export type DiffLine = Static<typeof DiffLine>;
/** How much of one kind differs between two configurations. */
export const ConfigCount = Type.Object({
  kind: Type.Union([
    Type.Literal('bus'),
    Type.Literal('device'),
    Type.Literal('point'),
    /** Of the gateway itself, "nats.url". */
    Type.Literal('setting'),
  ]),
  added: Type.Integer({ minimum: 0 }),
  changed: Type.Integer({ minimum: 0 }),
  removed: Type.Integer({ minimum: 0 }),
});
export type ConfigCount = Static<typeof ConfigCount>;
export const GatewayConfigDiff = Type.Object({
  /** Version in force as far as the cloud knows; null: none. */
  from: Nullable(Type.Integer()),
  changed: Type.Boolean(),
  /** Kinds in which nothing differs are left out: none, although `changed`, where only order or remarks do. */
  counts: Type.Array(ConfigCount),
  lines: Type.Array(DiffLine),
});
export type GatewayConfigDiff = Static<typeof GatewayConfigDiff>;

/** What was mapped on the gateway and would be made here. */
export const GatewayMapping = Type.Object({
  id: Uuid,
  receivedAt: Instant,
  state: Type.Union([
    Type.Literal('offered'),
    Type.Literal('accepted'),
    Type.Literal('rejected'),
    Type.Literal('overtaken'),
  ]),
  changes: Type.Array(
    Type.Object({
      what: Type.Union([
        Type.Literal('add'),
        Type.Literal('change'),
        Type.Literal('same'),
        Type.Literal('conflict'),
      ]),
      id: Uuid,
      name: Type.String(),
      protocol: Type.String(),
      points: Type.Object({ add: Type.Integer(), change: Type.Integer(), same: Type.Integer() }),
      /** Why it cannot be taken over. */
      why: Type.String(),
    }),
  ),
});
export type GatewayMapping = Static<typeof GatewayMapping>;
export const GatewayMappingParams = Type.Object({ id: Uuid, mappingId: Uuid });

export const GatewayLogBody = Type.Object({
  lines: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_000 })),
});
export const GatewayLog = Type.Object({ lines: Type.Array(Type.String()), truncated: Type.Boolean() });
export type GatewayLog = Static<typeof GatewayLog>;
/** The person types the name of the gateway that is to be thrown out. */
export const GatewayRevocation = Type.Object({ name: words(200) });

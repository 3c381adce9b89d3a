// The one module that knows how the message server's trust is written down. The library below is version 0.0.x: what it makes is
// checked against the real server by this folder's tests, so that another version is found out there and not in a park.
import { isDeepStrictEqual } from 'node:util';
import {
  type Account,
  type Import,
  decode,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
  newScopedSigner,
  type Permissions,
} from '@nats-io/jwt';
import {
  createAccount,
  createOperator,
  createUser,
  fromPublic,
  fromSeed,
  type KeyPair,
} from '@nats-io/nkeys';
import { SERVER_STATE, SERVER_STATE_IN_CORE } from '../platform/nats-server.ts';

/** Life of a gateway's user JWT; it is renewed at half of it. */
export const USER_LIFE_MS = 30 * 86_400_000;

/** Seeds that are used when the park's trust is made or changed, and lie on no server between. */
export interface OfflineSeeds {
  /** Identity of the operator ("SO…"). */
  readonly operator: string;
  /** Identities of the accounts ("SA…"). */
  readonly sys: string;
  readonly core: string;
  readonly edge: string;
}

/** Seeds of the provisioner: they let gateways in and throw them out while the park runs. */
export interface OnlineSeeds {
  /** Signing key of the operator ("SO…"): signs the EDGE account with its revocations. Replaced by a new operator JWT. */
  readonly operatorSigning: string;
  /** Scoped signing key of EDGE ("SA…"): whatever it signs is a gateway and no more. */
  readonly edgeSigning: string;
}

/** The parties of one message server, by their public keys. */
export interface Parties {
  readonly operator: string;
  readonly operatorSigning: string;
  readonly sys: string;
  readonly core: string;
  readonly edge: string;
  readonly edgeSigning: string;
}

export const newOfflineSeeds = (): OfflineSeeds => ({
  operator: seedOf(createOperator()),
  sys: seedOf(createAccount()),
  core: seedOf(createAccount()),
  edge: seedOf(createAccount()),
});

export const newOnlineSeeds = (): OnlineSeeds => ({
  operatorSigning: seedOf(createOperator()),
  edgeSigning: seedOf(createAccount()),
});

export const partiesOf = (offline: OfflineSeeds, online: OnlineSeeds): Parties => ({
  operator: publicKeyOf(offline.operator),
  operatorSigning: publicKeyOf(online.operatorSigning),
  sys: publicKeyOf(offline.sys),
  core: publicKeyOf(offline.core),
  edge: publicKeyOf(offline.edge),
  edgeSigning: publicKeyOf(online.edgeSigning),
});

/** The JWT that a server trusts; signed by the operator's identity and by nothing else. */
export const operatorJwt = (operatorSeed: string, parties: Parties): Promise<string> =>
  encodeOperator('parkline', keyPair(operatorSeed), {
    signing_keys: [parties.operatorSigning],
    system_account: parties.sys,
  });

/** No limit, in the words of account JWTs; what is left out is zero, that is, forbidden. */
const NO_LIMIT = -1;
const openLimits = {
  ...{ subs: NO_LIMIT, data: NO_LIMIT, payload: NO_LIMIT, conn: NO_LIMIT, leaf: 0 },
  ...{ imports: NO_LIMIT, exports: NO_LIMIT, wildcards: true, disallow_bearer: true },
} satisfies Account['limits'];

export const sysAccountJwt = (operatorSigningSeed: string, { sys }: Parties): Promise<string> =>
  encodeAccount(
    'SYS',
    fromPublic(sys),
    {
      limits: openLimits,
      // Each server of a cluster answers, so the answer is a stream.
      exports: [{ name: 'state', subject: SERVER_STATE, type: 'service', response_type: 'Stream' }],
    },
    { signer: keyPair(operatorSigningSeed) },
  );

/** Holds the streams. Everything that gateways reach of it are the three exports. */
export const coreAccountJwt = (operatorSigningSeed: string, { core, sys }: Parties): Promise<string> =>
  encodeAccount(
    'CORE',
    fromPublic(core),
    {
      limits: {
        ...openLimits,
        ...{ disk_storage: NO_LIMIT, mem_storage: 0, streams: NO_LIMIT, consumer: NO_LIMIT },
      },
      exports: [
        { name: 'up', subject: 'up.>', type: 'service', response_type: 'Singleton' },
        { name: 'rpc', subject: 'rpc.>', type: 'service', response_type: 'Singleton' },
        { name: 'cmd', subject: 'cmd.>', type: 'stream' },
      ],
      imports: [imported('state', sys, 'service', SERVER_STATE, SERVER_STATE_IN_CORE)],
    },
    { signer: keyPair(operatorSigningSeed) },
  );

/**
 * Holds the gateways and has no JetStream: a reply subject that a gateway chooses reaches no stream's API.
 * @param revoked nkey -> instant up to which credentials of this key are void.
 */
export const edgeAccountJwt = (
  operatorSigningSeed: string,
  { edge, core, edgeSigning }: Parties,
  revoked: ReadonlyMap<string, Date> = new Map(),
): Promise<string> =>
  encodeAccount(
    'EDGE',
    fromPublic(edge),
    {
      limits: openLimits,
      imports: [
        imported('up', core, 'service', 'up.>'),
        imported('rpc', core, 'service', 'rpc.>'),
        imported('cmd', core, 'stream', 'cmd.>'),
      ],
      signing_keys: [newScopedSigner(fromPublic(edgeSigning), 'gateway', gatewayScope)],
      revocations: Object.fromEntries([...revoked].map(([nkey, at]) => [nkey, seconds(at)])),
    },
    { signer: keyPair(operatorSigningSeed) },
  );

/**
 * The keys that an account JWT of EDGE holds as revoked, each with its instant. What this park's present key did not sign is not
 * believed, and holds none. @throws Error on a text that is no JWT, or not signed by who it says.
 */
export function revokedIn(jwt: string, { edge, operatorSigning }: Parties): Map<string, Date> {
  const { iss, sub, nats } = decode<Account>(jwt);
  if (iss !== operatorSigning || sub !== edge) return new Map();
  return new Map(Object.entries(nats.revocations ?? {}).map(([nkey, at]) => [nkey, new Date(at * 1_000)]));
}

/** Where a server tells the JWT of an account that it holds. */
export const accountLookup = (account: string): string => `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`;

/**
 * What a server's empty folder starts with. It bears the second before it was made: a server that starts again puts it over
 * whatever bears the same second, and that may be the first list of revoked gateways.
 */
export async function firstEdgeAccountJwt(operatorSigningSeed: string, parties: Parties): Promise<string> {
  const [head = '', body = ''] = (await edgeAccountJwt(operatorSigningSeed, parties)).split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { readonly iat: number };
  const earlier = Buffer.from(JSON.stringify({ ...claims, iat: claims.iat - 1 })).toString('base64url');
  const signature = keyPair(operatorSigningSeed).sign(Buffer.from(`${head}.${earlier}`));
  return `${head}.${earlier}.${Buffer.from(signature).toString('base64url')}`;
}

const imported = (
  name: string,
  account: string,
  type: Import['type'],
  subject: string,
  local = subject,
): Import => ({ name, account, type, subject, local_subject: local });

/** A gateway speaks under its own id and hears what is meant for it. The server puts the name of the user, its id, in the place. */
const gatewayScope = {
  pub: { allow: ['up.{{name()}}.>', 'rpc.{{name()}}.>'] },
  sub: { allow: ['cmd.{{name()}}.>', '_INBOX.{{name()}}.>'] },
  ...{ subs: 16, payload: 1_048_576, data: NO_LIMIT },
  allowed_connection_types: ['STANDARD' as const],
};

/**
 * @param id of the gateway: a UUID, so that it is one token of a subject and holds no wildcard.
 * @param nkey public key of its user.
 * @throws RangeError on an id or a key that is none.
 */
export async function gatewayJwt(
  edgeSigningSeed: string,
  parties: Parties,
  { id, nkey }: { id: string; nkey: string },
  expiresAt: Date,
): Promise<string> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
    throw new RangeError(`not the id of a gateway: ${JSON.stringify(id)}`);
  return encodeUser(
    id,
    userKey(nkey),
    fromPublic(parties.edge),
    {},
    { signer: keyPair(edgeSigningSeed), scopedUser: true, exp: seconds(expiresAt) },
  );
}

/** Users of the cloud in CORE, each with the least it can work with. */
export type CoreUser = keyof typeof coreUsers;
const inbox = (user: string): string => `_INBOX.${user}.>`;
export const coreUsers = {
  /** Live values to people. */
  api: { pub: { deny: ['>'] }, sub: { allow: ['live.*'] } },
  /** Takes the stream UP to the database, hears health, writes receipts, tells live values. */
  ingest: {
    pub: {
      allow: [
        '$JS.API.INFO',
        ...['INFO', 'CREATE'].map((verb) => `$JS.API.STREAM.${verb}.UP`),
        ...['INFO', 'CREATE', 'MSG.NEXT'].map((verb) => `$JS.API.CONSUMER.${verb}.UP.ingest`),
        '$JS.ACK.UP.ingest.>',
        ...['cmd.*.rcpt', 'live.*', SERVER_STATE_IN_CORE],
      ],
    },
    sub: { allow: ['up.>', inbox('ingest')] },
  },
  /** Answers gateways that ask. A gateway chooses where an answer goes: only through the import's own reply subjects. */
  responder: { pub: { allow: ['_R_.>'] }, sub: { allow: ['rpc.>'] } },
  /** Sends what is signed: commands and configurations. */
  commands: { pub: { allow: ['cmd.>'] }, sub: { deny: ['>'] } },
} satisfies Record<string, Permissions>;

/** The content of a `.creds` file for a new user of CORE. */
export const coreCreds = (coreSeed: string, user: CoreUser): Promise<string> =>
  creds(coreSeed, user, coreUsers[user]);

/** Hands over account JWTs, looks what is in that of EDGE, and hears who comes and goes. */
const sysUser = ({ edge }: Pick<Parties, 'edge'>): Permissions => ({
  pub: { allow: ['$SYS.REQ.CLAIMS.UPDATE', accountLookup(edge), SERVER_STATE] },
  sub: {
    allow: [
      inbox(SYS_USER),
      '$SYS.ACCOUNT.*.CONNECT',
      '$SYS.ACCOUNT.*.DISCONNECT',
      '$SYS.SERVER.*.CLIENT.AUTH.ERR',
    ],
  },
});
const SYS_USER = 'provisioner';

/** The content of a `.creds` file for the provisioner. */
export const sysCreds = (sysSeed: string, parties: Pick<Parties, 'edge'>): Promise<string> =>
  creds(sysSeed, SYS_USER, sysUser(parties));

/** @param permissions none: everything in the account, which only tests need. */
export async function creds(
  accountSeed: string,
  name: string,
  permissions: Permissions = {},
): Promise<string> {
  const user = createUser();
  const jwt = await encodeUser(name, user, keyPair(accountSeed), {
    ...permissions,
    allowed_connection_types: ['STANDARD'],
  });
  return new TextDecoder().decode(fmtCreds(jwt, user));
}

/** Whether a `.creds` file holds the permissions that its user has today; those of an older version are made anew. */
export const isCurrentCreds = (text: string, user: CoreUser): boolean => allows(text, user, coreUsers[user]);
/** As `isCurrentCreds`, for the provisioner. */
export const isCurrentSysCreds = (text: string, parties: Pick<Parties, 'edge'>): boolean =>
  allows(text, SYS_USER, sysUser(parties));

function allows(text: string, user: string, wanted: Permissions): boolean {
  const jwt = /-\n([\w-]+\.[\w-]+\.[\w-]+)\n-/.exec(text)?.[1];
  if (jwt === undefined) return false;
  const { nats, name } = decode<Permissions>(jwt);
  const { pub, sub } = nats;
  return name === user && isDeepStrictEqual({ pub, sub }, wanted);
}

/** Whether two JWTs say the same, whenever they were signed. */
export function hasSameClaims(one: string, other: string): boolean {
  const [a, b] = [decode(one), decode(other)];
  return a.iss === b.iss && a.sub === b.sub && isDeepStrictEqual(a.nats, b.nats);
}

/** When a JWT ends, or undefined when it does not. @throws Error on a text that is no JWT or not signed by who it says. */
export function expiryOf(jwt: string): Date | undefined {
  const { exp } = decode(jwt);
  return exp ? new Date(exp * 1_000) : undefined;
}

export const publicKeyOf = (seed: string): string => keyPair(seed).getPublicKey();

const keyPair = (seed: string): KeyPair => fromSeed(new TextEncoder().encode(seed.trim()));
const seedOf = (key: KeyPair): string => new TextDecoder().decode(key.getSeed());
/** JWTs count whole seconds. */
const seconds = (at: Date): number => Math.floor(at.getTime() / 1_000);

function userKey(nkey: string): KeyPair {
  try {
    if (nkey.startsWith('U')) return fromPublic(nkey);
  } catch (cause) {
    throw new RangeError(`not a user nkey: ${JSON.stringify(nkey.slice(0, 60))}`, { cause });
  }
  throw new RangeError(`not a user nkey: ${JSON.stringify(nkey.slice(0, 60))}`);
}

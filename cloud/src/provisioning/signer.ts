import { type NatsConnection, PermissionViolationError } from '@nats-io/transport-node';
import type { Now } from '../platform/clock.ts';
import {
  accountLookup,
  edgeAccountJwt,
  gatewayJwt,
  type OnlineSeeds,
  type Parties,
  revokedIn,
  USER_LIFE_MS,
} from './authority.ts';
import { certifyGateway, type Identity } from './pki.ts';

/** A gateway as the authority knows it: whoever asks has proven that the gateway holds the private halves of both keys. */
export interface GatewayIdentity {
  /** UUID; names the gateway's subjects. */
  readonly id: string;
  /** Public nkey of a user ("U…"). */
  readonly nkey: string;
  /** SPKI PEM of the P-256 key of its TLS certificate. */
  readonly tlsPublicKeyPem: string;
}

/** What a gateway presents to the message server. None of it is secret without the gateway's own keys. */
export interface Credentials {
  /** User JWT of the EDGE account, bound to the nkey. */
  readonly jwt: string;
  /** TLS client certificate of the gateway's key. */
  readonly certificatePem: string;
  /** The authority that the gateway believes, and no other. */
  readonly caPem: string;
  /** End of the JWT; the certificate outlives it. Renew at half of the time until then. */
  readonly expiresAt: Date;
}

/** The one place where gateways are let in and thrown out of the message server. */
export interface Signer {
  /**
   * Signs offline; the server need not be told.
   * A key that was revoked is let in again only by credentials of a later second than its revocation.
   * @throws RangeError on an id, key or PEM that is none.
   */
  issue(gateway: GatewayIdentity, now: Date): Promise<Credentials>;
  /**
   * Makes these keys revoked ones, each with the instant up to which its credentials are void: live connections are closed, later
   * ones refused, also after a restart of the server. What the server holds beside them stays on its list: the database may have been
   * restored to before somebody was thrown out. Resolves when the server has said that it holds the list.
   * @throws SignerError 'unreachable' (nothing is known: call again with the same list) or 'refused' (with the server's words).
   */
  revoke(all: ReadonlyMap<string, Date>): Promise<void>;
  /**
   * The keys that the message server holds as revoked.
   * @throws SignerError 'unreachable', or 'refused' where this process may not look: its credentials are of an earlier version.
   */
  held(): Promise<ReadonlyMap<string, Date>>;
}

/** unreachable: no answer of the server. refused: it answered and did not take the list. */
export type SignerErrorCode = 'unreachable' | 'refused';

export class SignerError extends Error {
  readonly code: SignerErrorCode;

  constructor(code: SignerErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'SignerError';
    this.code = code;
  }
}

/** The part of a connection of the SYS account that a signer needs. */
export type SystemConnection = Pick<NatsConnection, 'request'>;

export interface SignerDeps {
  readonly parties: Parties;
  readonly seeds: OnlineSeeds;
  /** The authority of TLS certificates. */
  readonly authority: Identity;
  /** Of the SYS account. */
  readonly system: SystemConnection;
  readonly now: Now;
}

/** How long the server may take to write the list down and close connections. */
const CLAIMS_TIMEOUT_MS = 5_000;

export function createSigner({ parties, seeds, authority, system, now }: SignerDeps): Signer {
  let mayLook = true;
  const held = async (): Promise<ReadonlyMap<string, Date>> => {
    if (!mayLook) throw new SignerError('refused', 'the message server does not tell its list to this user');
    try {
      return revokedIn(await ask(system, accountLookup(parties.edge), ''), parties);
    } catch (error) {
      mayLook = !(error instanceof SignerError && error.code === 'refused');
      throw error;
    }
  };
  return {
    held,
    async issue({ id, nkey, tlsPublicKeyPem }, at) {
      const expiresAt = new Date(at.getTime() + USER_LIFE_MS);
      const jwt = await gatewayJwt(seeds.edgeSigning, parties, { id, nkey }, expiresAt);
      const certificatePem = await certifyGateway(authority, id, tlsPublicKeyPem, at);
      return { jwt, certificatePem, caPem: authority.certificatePem, expiresAt };
    },
    async revoke(all) {
      // What was revoked longer ago than credentials live is void by its own date: the list stays short for ever.
      const oldest = now().getTime() - USER_LIFE_MS;
      const there = await held().catch((error: SignerError) => {
        if (error.code === 'refused') return new Map<string, Date>();
        throw error;
      });
      const both = new Map([...there, ...all]);
      const recent = new Map([...both].filter(([, at]) => at.getTime() >= oldest));
      const jwt = await edgeAccountJwt(seeds.operatorSigning, parties, recent);
      assertTaken(await ask(system, '$SYS.REQ.CLAIMS.UPDATE', jwt));
    },
  };
}

async function ask(system: SystemConnection, subject: string, jwt: string): Promise<string> {
  try {
    const reply = await system.request(subject, jwt, { timeout: CLAIMS_TIMEOUT_MS });
    return reply.string();
  } catch (cause) {
    const isForbidden = [cause, (cause as Error).cause].some(
      (one) => one instanceof PermissionViolationError,
    );
    const code = isForbidden ? 'refused' : 'unreachable';
    const words = 'the message server did not answer about the list of revoked gateways';
    throw new SignerError(code, words, { cause });
  }
}

interface ClaimsReply {
  readonly data?: { readonly code?: number };
  readonly error?: { readonly description?: string };
}

function assertTaken(answer: string): void {
  let reply: ClaimsReply | null = null;
  try {
    reply = JSON.parse(answer) as ClaimsReply | null;
  } catch {
    // Not JSON: refused below, with what it said.
  }
  if (reply?.data?.code === 200) return;
  const why = reply?.error?.description ?? answer.slice(0, 200);
  throw new SignerError('refused', `the message server did not take the list of revoked gateways: ${why}`);
}

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Pool } from 'pg';

/** What ingest must know to believe a message. */
export interface KnownGateway {
  readonly id: string;
  readonly accountId: string;
  /** What it sends must be signed by one of them: two while it changes its keys. None until it is claimed, or once it is thrown out. */
  readonly keys: readonly KeyObject[];
}

/** How long an answer is believed while the database does not tell of changes. */
const TTL_MS = 2_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @returns undefined for a gateway that does not exist; `id` may be anything. @throws the database's error. */
export type FindGateway = (id: string) => Promise<KnownGateway | undefined>;

/** Gateways by id, at most one question to the database per gateway and two seconds. */
export interface Gateways {
  readonly find: FindGateway;
  /** Its keys were changed or withdrawn: the next question goes to the database. Without an id: all of them. */
  forget(id?: string): void;
}

export function createGateways({ pool, now }: { pool: Pool; now: () => Date }): Gateways {
  const known = new Map<string, { readonly at: number; readonly gateway: KnownGateway | undefined }>();
  let changes = 0;

  async function load(id: string): Promise<KnownGateway | undefined> {
    const { rows } = await pool.query<{ account_id: string; keys: (string | null)[] }>(
      `select account_id,
         case when revoked_at is null then array[public_key, next_public_key] else '{}' end as keys
       from gateway where id = $1`,
      [id],
    );
    return (
      rows[0] && {
        id,
        accountId: rows[0].account_id,
        keys: rows[0].keys.flatMap((pem) => parseKey(pem) ?? []),
      }
    );
  }

  const find: FindGateway = async (id) => {
    if (!UUID.test(id)) return undefined;
    const at = now().getTime();
    const entry = known.get(id);
    if (entry && at - entry.at < TTL_MS && at >= entry.at) return entry.gateway;
    if (known.size > 50_000) known.clear(); // Made-up ids must not fill the memory.
    const before = changes;
    const gateway = await load(id);
    // What changed while the answer was on its way is not kept.
    if (changes === before) known.set(id, { at, gateway });
    return gateway;
  };

  return {
    find,
    forget(id) {
      changes += 1;
      if (id === undefined) known.clear();
      else known.delete(id);
    },
  };
}

function parseKey(pem: string | null): KeyObject | undefined {
  if (!pem) return undefined;
  try {
    return createPublicKey(pem);
  } catch {
    return undefined; // Not a key: the gateway is as good as untrusted, and its messages wait in quarantine.
  }
}

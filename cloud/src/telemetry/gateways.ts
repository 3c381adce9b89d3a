import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Pool } from 'pg';

/** What ingest must know to believe a message. */
export interface KnownGateway {
  readonly id: string;
  readonly accountId: string;
  /** Undefined until somebody trusts it. */
  readonly key: KeyObject | undefined;
}

/** How long an answer is believed: a key that was changed or withdrawn counts after this. */
const TTL_MS = 2_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @returns undefined for a gateway that does not exist; `id` may be anything. @throws the database's error. */
export type FindGateway = (id: string) => Promise<KnownGateway | undefined>;

/** Finds gateways by id, at most one question to the database per gateway and two seconds. */
export function createGateways({ pool, now }: { pool: Pool; now: () => Date }): FindGateway {
  const known = new Map<string, { readonly at: number; readonly gateway: KnownGateway | undefined }>();

  async function load(id: string): Promise<KnownGateway | undefined> {
    const { rows } = await pool.query<{ account_id: string; public_key: string | null }>(
      'select account_id, public_key from gateway where id = $1',
      [id],
    );
    return rows[0] && { id, accountId: rows[0].account_id, key: parseKey(rows[0].public_key) };
  }

  return async (id) => {
    if (!UUID.test(id)) return undefined;
    const at = now().getTime();
    const entry = known.get(id);
    if (entry && at - entry.at < TTL_MS && at >= entry.at) return entry.gateway;
    if (known.size > 50_000) known.clear(); // Made-up ids must not fill the memory.
    const gateway = await load(id);
    known.set(id, { at, gateway });
    return gateway;
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

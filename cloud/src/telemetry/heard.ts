import { status } from '../fleet/index.ts';
import type { Db } from '../platform/db.ts';

/** Tells fleet which gateways sent data, at most one row a gateway and flush. */
export interface Heard {
  note(gatewayId: string, accountId: string, at: Date): void;
  /** What fails is dropped: the next message says the same. @throws the database's error. */
  flush(): Promise<void>;
}

export function createHeard(db: Db): Heard {
  const noted = new Map<string, { readonly accountId: string; readonly at: Date }>();
  return {
    note: (gatewayId, accountId, at) => void noted.set(gatewayId, { accountId, at }),
    async flush() {
      const gateways = [...noted].sort(([a], [b]) => (a < b ? -1 : 1));
      noted.clear();
      for (const [gatewayId, { accountId, at }] of gateways)
        await status.recordHeard(db, accountId, gatewayId, at);
    },
  };
}

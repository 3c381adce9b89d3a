import { sql } from 'kysely';
import type { Retention } from '../platform/retention.ts';

const DAY_MS = 86_400_000;
const BITE = 10_000;

/** What gateways reported beside their samples is kept for `eventDays`. */
export const telemetryRetention = ({ eventDays }: { readonly eventDays: number }): Retention[] => [
  {
    what: 'gateway reports',
    drop: async (db, now) => {
      const before = new Date(now.getTime() - eventDays * DAY_MS);
      const { numAffectedRows = 0n } = await sql`
        delete from gateway_event where (gateway_id, id) in (
          select gateway_id, id from gateway_event where received_at < ${before} limit ${BITE})`.execute(db);
      return Number(numAffectedRows);
    },
  },
];

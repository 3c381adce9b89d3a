import './tables.ts';
import type { GatewayHealth } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import { recordClock } from './clock.ts';

const at = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
/** bigint columns take text; an older gateway does not say. */
const text = (count: number | undefined): string | null => (count === undefined ? null : String(count));
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What gateways say of themselves. Written by ingest, which sees every account. */
export const status = {
  /** Whose signature a gateway's messages must carry: one of its keys, none once it was thrown out. `gatewayId` may be anything that came as a subject. */
  async signerOf(db: Db, gatewayId: string) {
    if (!UUID.test(gatewayId)) return undefined;
    const row = await db
      .selectFrom('gateway')
      .select(['accountId', 'publicKey', 'nextPublicKey', 'revokedAt'])
      .where('id', '=', gatewayId)
      .executeTakeFirst();
    if (!row) return undefined;
    const keys = row.revokedAt ? [] : [row.publicKey, row.nextPublicKey].filter((key) => key !== null);
    return { accountId: row.accountId, keys };
  },

  /** Data came from the gateway, so it is there, whatever its health message says. Safe to call late or twice. */
  async recordHeard(db: Db, accountId: string, gatewayId: string, heardAt: Date): Promise<void> {
    await db
      .insertInto('gatewayStatus')
      .values({ ...silent, accountId, gatewayId, heardAt })
      .onConflict((c) =>
        c
          .column('gatewayId')
          .doUpdateSet((eb) => ({ heardAt: eb.ref('excluded.heardAt') }))
          .whereRef('gatewayStatus.heardAt', '<', 'excluded.heardAt'),
      )
      .execute();
  },

  /** The latest word wins: an older one than the stored, from the same run of the gateway, only shows that it was heard. */
  async recordHealth(db: Db, accountId: string, health: GatewayHealth, heardAt: Date): Promise<void> {
    await db.transaction().execute(async (trx) => {
      await status.recordHeard(trx, accountId, health.gatewayId, heardAt);
      const off = { at: health.at, offMs: health.at - heardAt.getTime() };
      await recordClock(trx, health.gatewayId, off, heardAt);
      const { numUpdatedRows } = await trx
        .updateTable('gatewayStatus')
        .set({
          reportedAt: new Date(health.at),
          startedAt: new Date(health.startedAt),
          version: health.version,
          writing: health.writing ?? null,
          outboxPending: String(health.outbox.pending),
          outboxOldestAt: at(health.outbox.oldestAt),
          outboxBytes: String(health.outbox.bytes),
          outboxMaxBytes: String(health.outbox.maxBytes),
          outboxWaitingBytes: text(health.outbox.waitingBytes),
          outboxHoursLeft: health.outbox.hoursLeft ?? null,
        })
        .where('gatewayId', '=', health.gatewayId)
        .where((eb) =>
          eb.or([
            eb('reportedAt', 'is', null),
            eb('reportedAt', '<=', new Date(health.at)),
            // A restart may come with a clock set back.
            eb('startedAt', '!=', new Date(health.startedAt)),
          ]),
        )
        .executeTakeFirst();
      if (numUpdatedRows === 1n) await recordDevices(trx, health);
    });
  },
};

const silent = {
  reportedAt: null,
  startedAt: null,
  version: null,
  outboxPending: null,
  outboxOldestAt: null,
  outboxBytes: null,
  outboxMaxBytes: null,
  outboxWaitingBytes: null,
  outboxHoursLeft: null,
};

/** Joined with the gateway's own equipment: what it says of another's is dropped. */
async function recordDevices(db: Db, { gatewayId, at: reportedAt, devices }: GatewayHealth): Promise<void> {
  await sql`
    insert into device_status (equipment_id, account_id, state, last_ok_at, error, reported_at)
    select e.id, e.account_id, d.state, to_timestamp(d."lastOkAt" / 1000.0), left(d.error, 1000), ${new Date(reportedAt)}
    from jsonb_to_recordset(${JSON.stringify(devices)}::jsonb)
      as d("equipmentId" uuid, state text, "lastOkAt" double precision, error text)
    join equipment e on e.id = d."equipmentId" and e.gateway_id = ${gatewayId}
    on conflict (equipment_id) do update set
      state = excluded.state, last_ok_at = coalesce(excluded.last_ok_at, device_status.last_ok_at),
      error = excluded.error, reported_at = excluded.reported_at`.execute(db);
}

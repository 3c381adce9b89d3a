import { createPublicKey, sign } from 'node:crypto';
import { type GatewayHealth, subjects } from '@parkline/contract';
import pino from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { testWorker } from './faults/testing.ts';
import { gatewayView } from './fleet/domain.ts';
import { receiveHealth } from './fleet/health.ts';
import { gateways } from './fleet/repository.ts';
import { tenantUsage } from './metering/repository.ts';
import {
  givenInstallation,
  givenLease,
  givenSpace,
  givenTenant,
  givenUsagePoint,
} from './metering/testing.ts';
import { withAccount, withActor } from './platform/db.ts';
import { clonedDatabase } from './platform/testing.ts';
import { openMessage } from './telemetry/decode.ts';
import { openStorage } from './telemetry/storage.ts';
import { storeMessages } from './telemetry/store.ts';
import { createPointTables } from './telemetry/tables.ts';
import { createSender, givenPark, type TestGateway, type TestPark } from './telemetry/testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const pool = database.pool('parkline_ingest');
const QUARTER = 900_000;
const start = Date.parse('2026-11-22T08:00:00Z');
const storage = await openStorage(pool, new Date(start));
/** The cloud's clock. */
const clock = { at: start, now: () => new Date(clock.at) };

let park: TestPark;
let gateway: TestGateway;
let tenant: string;
let usagePoint: string;
let send: (
  skewMs: number,
  samples: Parameters<ReturnType<typeof createSender>['samples']>[0],
) => Promise<void>;
beforeEach(async () => {
  clock.at = start;
  park = await givenPark(owner, { meters: 1 });
  gateway = park.gateways[0]!;
  const space = await givenSpace(owner, park.accountId, gateway.buildingId);
  usagePoint = await givenUsagePoint(owner, park.accountId, space);
  await givenInstallation(owner, park.accountId, usagePoint, gateway.points[1]!.id);
  tenant = await givenTenant(owner, park.accountId);
  await givenLease(owner, park.accountId, { tenant, space, from: '2026-01-01', to: null });
  const sender = createSender(gateway);
  await store(sender.points());
  send = (skewMs, samples) => {
    const stamped = samples.map(([p, at, value]) => [p, at + skewMs, value] as const);
    return store(sender.samples(stamped, { boundary: samples.map((_, i) => i) }));
  };
});

async function store(bytes: Uint8Array): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const opened = openMessage(bytes, gateway.id, [createPublicKey(gateway.privateKey)]);
    const deps = { tables: createPointTables(), now: clock.now, makeRoom: storage.ensure };
    await storeMessages(deps, client, [{ gateway: gateway.id, bytes, opened }]);
    await client.query('commit');
  } finally {
    client.release();
  }
}

/** What a gateway whose clock is off reports, every ten seconds until the cloud's clock shows `until`. */
async function reports(skewMs: number, until: number): Promise<void> {
  for (; clock.at < until; clock.at += 10_000) {
    const health: GatewayHealth = {
      ...{ gatewayId: gateway.id, at: clock.at + skewMs, startedAt: start, version: '1', devices: [] },
      outbox: { pending: 0, oldestAt: null, bytes: 0, maxBytes: 1 },
    };
    const body = JSON.stringify(health);
    const sig = sign(null, Buffer.from(body), gateway.privateKey).toString('base64url');
    const deps = { db: database.ingest, now: clock.now, log: pino({ enabled: false }) };
    const bytes = Buffer.from(JSON.stringify({ body, sig }));
    expect(await receiveHealth(deps, subjects.health(gateway.id), bytes)).toEqual({ ok: true });
  }
}

/** An hour of a register that counts 10 a quarter hour, read at each quarter hour by the gateway's clock. */
async function anHour(skews: readonly number[]): Promise<void> {
  for (const [i, skewMs] of skews.entries()) {
    await reports(skewMs, start + i * QUARTER + 30_000);
    await send(skewMs, [[1, start + i * QUARTER - skewMs, 1_000 + i * 10]]);
    clock.at = start + (i + 1) * QUARTER - 20_000;
  }
}
const view = async () => {
  const rows = await withAccount(database.app, park.accountId, (trx) => gateways.list(trx, park.accountId));
  return gatewayView(rows[0]!, clock.now(), 'en').clock;
};
const stored = async () =>
  (
    await owner.query<{ value: number; flags: number }>(
      'select value, flags from reading where point_num = $1 order by ts',
      [gateway.points[1]!.num],
    )
  ).rows.map(({ value, flags }) => [value, flags]);
const used = async () => {
  const span = { from: new Date(start), to: new Date(start + 4 * QUARTER), now: clock.now() };
  const actor = { accountId: park.accountId, tenantId: tenant, buildings: null };
  const { use } = await withActor(database.app, actor, (trx) => tenantUsage.read(trx, usagePoint, span));
  return use.spans.map(({ begins, ends, units }) => [
    (begins - start) / QUARTER,
    (ends - start) / QUARTER,
    Number(units),
  ]);
};
const faults = async () => {
  const nobody = { accountId: park.accountId, heard: () => Promise.resolve() };
  const worker = testWorker(database.worker, nobody as Parameters<typeof testWorker>[1], clock);
  await worker.beat();
  await worker.beat();
  const { rows } = await owner.query<{ rule: string; subjectId: string }>(
    `select rule, subject_id as "subjectId" from fault where account_id = $1 and cleared_at is null`,
    [park.accountId],
  );
  return rows.filter(({ subjectId }) => subjectId === gateway.id).map(({ rule }) => rule);
};

test('a clock that is 3 s off is shown, and what it stamps is billed', async () => {
  await anHour([3_000, 3_000, 3_000, 3_000, 3_000]);
  expect(await view()).toMatchObject({ state: 'off', skewMs: 3_000 });
  expect(await faults()).toEqual([]);
  expect(await stored()).toEqual([0, 1, 2, 3, 4].map((i) => [1_000 + i * 10, 1]));
  expect(await used()).toEqual([0, 1, 2, 3].map((i) => [i, i + 1, 10]));
});

test.each([90_000, -90_000])(
  'while a clock is %d ms off its readings are kept, marked and not billed, the fault is told, and no energy is lost',
  async (skewMs) => {
    await anHour([0, skewMs, skewMs]);
    clock.at = start + 2 * QUARTER + 60_000;
    await reports(skewMs, clock.at + 20_000);
    expect(await view()).toMatchObject({ state: 'held', skewMs });
    expect(await faults()).toEqual(['gateway-clock-off']);
    await reports(0, start + 3 * QUARTER + 30_000);
    expect(await view()).toMatchObject({ state: 'good', skewMs: 0 });
    await send(0, [[1, start + 3 * QUARTER, 1_030]]);
    clock.at = start + 4 * QUARTER;
    await send(0, [[1, clock.at, 1_040]]);
    expect((await stored()).map(([value, flags]) => [value, Number(flags) & 2])).toEqual([
      [1_000, 0],
      [1_010, 2],
      [1_020, 2],
      [1_030, 0],
      [1_040, 0],
    ]);
    expect(await used()).toEqual([
      [0, 3, 30],
      [3, 4, 10],
    ]);
  },
);

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import pino from 'pino';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { parseParkFile } from '../fleet/index.ts';
import { givenFleet, mixedPark } from '../fleet/testing.ts';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { seedUsagePoints } from '../metering/index.ts';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { doNextJob } from '../platform/run-jobs.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { commissioningJobs, commissioningRoutes, verifyReport } from './index.ts';
import { sealDrawn } from './seal.ts';
import { pdfText } from './testing.ts';

const { app: db, owner, ingest, worker, pool } = await clonedDatabase();
const [ours, theirs] = [await givenAccount(owner), await givenAccount(owner)];
for (const account of [ours, theirs]) {
  await givenFleet(owner, account, mixedPark);
  await withAccount(owner, account, (trx) => seedUsagePoints(trx, account, parseParkFile(mixedPark), newId));
}
const log = pino({ enabled: false });
/** 18:00 at the site. */
let now = new Date('2026-11-22T10:00:00Z');
const deps = { db, now: () => now, newId };
const app = await createTestApp(db);
await app.register(commissioningRoutes(deps));
const [ina, eli, eve] = [
  await loggedIn(owner, ours, ['installer']),
  await loggedIn(owner, ours, ['facility_engineer']),
  await loggedIn(owner, theirs, ['account_admin']),
];
const owned = pool();
const meter = async (key: string, account = ours): Promise<string> => {
  const sql = 'select id from equipment where account_id = $1 and key = $2';
  return (await owned.query<{ id: string }>(sql, [account, key])).rows[0]!.id;
};
const [main, unit101, unit102] = [await meter('m-main'), await meter('m-101'), await meter('m-102')];

async function call(method: string, url: string, who = ina, payload?: object, more: object = {}) {
  const reply = await app.inject({
    method: method as 'GET',
    url,
    headers: { ...who, ...more },
    ...(payload && { payload }),
  });
  const isJson = String(reply.headers['content-type']).includes('json');
  return {
    status: reply.statusCode,
    body: isJson ? reply.json() : undefined,
    raw: reply.rawPayload,
    headers: reply.headers,
  };
}
const get = async (id: string, who = ina) => (await call('GET', `/api/commissioning/${id}`, who)).body;
async function record(id: string, body: object, who = ina) {
  const { version } = await get(id, who);
  const given = { serial: 'SN-4711', readAt: '2026-11-22T17:30', ...body };
  return call('PUT', `/api/commissioning/${id}`, who, given, { 'if-match': `"${version}"` });
}

/** What the meter counted at these times (UTC), in the unit of its register. */
async function counted(id: string, samples: readonly (readonly [string, number, number?])[]): Promise<void> {
  const { pointId } = await get(id);
  for (const [ts, value, quality = 0] of samples) {
    await owned.query('select reading_ensure(array[$1::timestamptz])', [ts]);
    await owned.query(
      `insert into reading (point_num, quality, flags, ts, value)
       select num, $4, 0, $2, round(($3 / resolution)::numeric) from point where id = $1`,
      [pointId, ts, value, quality],
    );
  }
}
async function photo(id: string): Promise<number> {
  const image = sharp({ create: { width: 8, height: 8, channels: 3, background: '#888' } });
  const payload = await image.png().toBuffer();
  const headers = { ...ina, 'content-type': 'image/png' };
  const url = `/api/commissioning/${id}/photo`;
  return (await app.inject({ method: 'POST', url, headers, payload })).statusCode;
}
async function work(): Promise<void> {
  const handlers = commissioningJobs(deps);
  while (await doNextJob({ db: worker, now: () => now, log, handlers }));
}

test('a display reading is set beside what telemetry says of that moment, ratio and all', async () => {
  await counted(unit101, [
    ['2026-11-22T09:25:00Z', 1_000],
    ['2026-11-22T09:35:00Z', 1_010],
  ]);
  const passed = await record(unit101, { ctRatio: '40', display: '25.13' });
  expect(passed).toMatchObject({
    status: 200,
    body: {
      ...{ state: 'passed', serial: 'SN-4711', ctRatio: '40', ptRatio: '1', ratioApplied: 'telemetry' },
      readings: [{ expected: 1_005.2, telemetry: 1_005, result: 'agrees', at: '2026-11-22T09:30:00.000Z' }],
    },
  });
  expect((await record(unit101, { ctRatio: '40', display: '25.30' })).body).toMatchObject({
    state: 'failed',
  });
  expect((await record(unit101, { ctRatio: '40', display: '25.13' })).body.state).toBe('passed');
  // Of telemetry an installer is told the one value, and nothing else.
  const { readings, ...rest } = await get(unit101);
  expect(readings.map(({ telemetry }: { telemetry: number }) => telemetry)).toEqual([1_005]);
  expect(Object.values(rest)).not.toContain(1_005);
});

test('what cannot be judged says why, and is judged by itself when telemetry comes', async () => {
  expect((await record(unit102, { display: '77.0' })).body).toMatchObject({
    ...{ state: 'open', readings: [{ reason: 'no_telemetry', result: 'unknown' }] },
  });
  await counted(unit102, [['2026-11-22T09:29:00Z', 77, 2]]);
  expect((await call('POST', `/api/commissioning/${unit102}/check`)).body.readings[0].reason).toBe('quality');
  await counted(unit102, [
    ['2026-11-22T09:20:00Z', 76.9],
    ['2026-11-22T09:40:00Z', 77.1],
  ]);
  now = new Date(now.getTime() + 61_000);
  await work();
  expect((await get(unit102)).state).toBe('passed');
});

test('a ratio that metering multiplies by again is found', async () => {
  const set = (multiplier: number) =>
    owned.query(`update meter_installation set multiplier = $2 where account_id = $1 and point_id = $3`, [
      ...[ours, multiplier],
      passed.pointId,
    ]);
  const passed = await get(unit101);
  await set(40);
  const again = (await call('POST', `/api/commissioning/${unit101}/check`)).body;
  expect(again).toMatchObject({ state: 'failed', ratioFault: 'applied_twice', meteringMultiplier: '40' });
  expect(
    (await record(unit101, { ctRatio: '40', ratioApplied: 'billing', display: '1005.0' })).body,
  ).toMatchObject({
    ...{ state: 'passed', ratioFault: null },
  });
  await set(1);
  const without = (await call('POST', `/api/commissioning/${unit101}/check`)).body;
  expect(without).toMatchObject({ state: 'failed', ratioFault: 'not_applied' });
  expect((await record(unit101, { ctRatio: '40', display: '25.13' })).body.state).toBe('passed');
});

const kept = async (pointId: string) =>
  (
    await owned.query(
      'select multiplier::float8 as kept from register_multiplier where point_id = $1 order by from_at',
      [pointId],
    )
  ).rows.map((row: { kept: number }) => row.kept);

test('a meter that hangs where its device is bound has no multiplier to agree with, and gives it none by itself', async () => {
  const { pointId } = await get(unit101);
  const bound = (equipmentId: string | null) =>
    owned.query(
      `update usage_point u set equipment_id = $2 from meter_installation i where i.point_id = $1 and i.usage_point_id = u.id`,
      [pointId, equipmentId],
    );
  await bound(unit101);
  const billed = { ctRatio: '40', ptRatio: '2', ratioApplied: 'billing' };
  expect((await record(unit101, { ...billed, display: '1050.0' })).body.state).toBe('failed');
  expect((await record(unit101, { ...billed, display: '1005.0' })).body).toMatchObject({
    ...{ state: 'passed', ratioFault: null, meteringMultiplier: '80' },
  });
  await bound(null);
  expect((await record(unit101, { ctRatio: '40', display: '25.13' })).body.state).toBe('passed');
  expect(await kept(pointId)).toEqual([]);
});

test('what billing could not multiply by is refused', async () => {
  for (const ratio of ['0.0001', '99999999'])
    expect(
      await record(unit101, { ctRatio: ratio, ptRatio: ratio, ratioApplied: 'billing', display: '1005.0' }),
    ).toMatchObject({ status: 400, body: { details: [{ field: 'body.ctRatio' }] } });
  expect((await get(unit101)).state).toBe('passed');
});

test('a stale edit, a time that is not of this visit, and a foreign meter are refused', async () => {
  const body = { serial: 'X', display: '1.0', readAt: '2026-11-22T17:30' };
  const url = `/api/commissioning/${unit101}`;
  const stale = await call('PUT', url, ina, body, { 'if-match': '"0"' });
  expect(stale).toMatchObject({
    status: 409,
    body: { code: 'stale_edit', details: { current: { state: 'passed' } } },
  });
  expect((await call('PUT', url, ina, body)).status).toBe(428);
  for (const bad of [
    { readAt: '2026-11-22T19:30' },
    { readAt: '2026-11-01T08:00' },
    { readAt: '2026-13-01T08:00' },
    { display: '1e3' },
    { display: '12.5', later: { display: '12.6', readAt: '2026-11-22T17:00' } },
    { ctRatio: '0' },
  ])
    expect((await record(unit101, { display: '1.0', ...bad })).status, JSON.stringify(bad)).toBe(400);
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/check'],
    ['GET', '/photo'],
  ] as const)
    expect((await call(method, `${url}${path}`, eve)).status).toBe(404);
  const lift = await meter('m-lift');
  expect((await call('GET', `/api/commissioning/${lift}`)).status).toBe(404);
});

test('an engineer waives with a reason, an installer does not', async () => {
  const url = `/api/commissioning/${main}/waive`;
  const body = { reason: 'display broken, replaced next week' };
  expect((await call('POST', url, ina, body)).status).toBe(403);
  expect((await call('POST', url, eli, { reason: 'so' })).status).toBe(400);
  expect((await call('POST', url, eli, body)).body).toMatchObject({
    state: 'waived',
    waiveReason: body.reason,
  });
});

test('a report needs every meter proven, is signed by two people, drawn in two languages, and sealed', async () => {
  const { gatewayId } = await get(unit101);
  const make = () => call('POST', '/api/commissioning-reports', ina, { gatewayId });
  expect(await make()).toMatchObject({
    ...{ status: 409, body: { details: { why: 'no_photo', meters: ['m-101', 'm-102'] } } },
  });
  for (const id of [unit101, unit102]) expect(await photo(id)).toBe(201);
  const made = await make();
  expect(made).toMatchObject({ status: 201, body: { number: 'PC-00001', meters: 3, passed: 2, waived: 1 } });
  const url = `/api/commissioning-reports/${made.body.id}`;
  expect(await call('GET', `${url}/pdf`)).toMatchObject({ status: 409, body: { code: 'not_sealed' } });
  expect((await call('POST', `${url}/sign`, ina, { as: 'engineer' })).status).toBe(403);
  expect((await call('POST', `${url}/sign`, ina, { as: 'installer' })).status).toBe(200);
  expect((await call('POST', `${url}/sign`, ina, { as: 'installer' })).body.details.why).toBe(
    'already_signed',
  );
  expect((await call('POST', `${url}/sign`, eve, { as: 'engineer' })).status).toBe(404);
  // What changes after it was made is not in it.
  await record(unit102, { display: '99.0' });
  const { pointId } = await get(unit101);
  expect(await kept(pointId)).toEqual([]);
  const signed = await call('POST', `${url}/sign`, eli, { as: 'engineer' });
  expect(await kept(pointId)).toEqual([1]);
  expect(signed.body).toMatchObject({
    pdfSha256: null,
    signatures: [{ as: 'installer' }, { as: 'engineer' }],
  });

  await work();
  const keys = generateKeyPairSync('ed25519');
  expect(await sealDrawn({ db: ingest, signingKey: keys.privateKey, log })).toBe(1);
  expect(await sealDrawn({ db: ingest, signingKey: keys.privateKey, log })).toBe(0);

  const pdf = await call('GET', `${url}/pdf`, eli);
  expect(pdf.headers['content-type']).toBe('application/pdf');
  const text = pdfText(pdf.raw);
  for (const words of [
    '表计调试报告',
    'Meter commissioning report',
    'PC-00001',
    '101 单元',
    'SN-4711',
    '1005.2 kWh',
  ])
    expect(text).toContain(words);
  expect(text).toContain('display broken, replaced next week');
  expect(text.match(/豁免 · waived|通过 · passed/g)!.length).toBeGreaterThanOrEqual(3);

  const file = (await call('GET', `${url}/file`, eli)).raw.toString('utf8');
  expect(verifyReport(file, keys.publicKey)).toMatchObject({
    ok: true,
    proof: { content: { number: 'PC-00001' } },
  });
  const stranger = createPublicKey(generateKeyPairSync('ed25519').privateKey);
  expect(verifyReport(file, stranger)).toEqual({ ok: false, why: 'key' });
  const parts = JSON.parse(file) as Record<string, string>;
  const changed = (change: object) => verifyReport(JSON.stringify({ ...parts, ...change }), keys.publicKey);
  expect(changed({ body: parts['body']!.replace('25.13', '25.31') })).toEqual({
    ok: false,
    why: 'signature',
  });
  expect(changed({ pdf: Buffer.from('another').toString('base64') })).toEqual({ ok: false, why: 'pdf' });
  expect(verifyReport('{}')).toEqual({ ok: false, why: 'unreadable' });
});

import { loadTemplates } from '@parkline/templates';
import Papa from 'papaparse';
import { expect, test } from 'vitest';
import { importRoutes } from '../imports/index.ts';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { equipmentSheet } from './equipment-sheet.ts';
import { pointSheet } from './point-sheet.ts';
import { givenFleet, mixedPark } from './testing.ts';

const { app: db, owner, pool } = await clonedDatabase();
const account = await givenAccount(owner);
await givenFleet(owner, account, mixedPark);
const templates = loadTemplates();
const app = await createTestApp(db);
// A day on which the park's leases hold.
const now = () => new Date('2026-06-20T04:00:00Z');
await app.register(
  importRoutes({ db, now, newId, kinds: [equipmentSheet(templates), pointSheet(templates)] }),
);
const me = await loggedIn(owner, account);
const sqlPool = pool();

async function send(kind: string, text: string, dryRun = false, language = 'en') {
  const url = `/api/imports?kind=${kind}&dryRun=${dryRun}`;
  const reply = await app.inject({
    method: 'POST',
    url,
    payload: text,
    headers: { ...me, 'content-type': 'text/csv', 'accept-language': language },
  });
  const body = reply.json();
  return { status: reply.statusCode, ...(body.details ?? body) };
}
const sheet = async (name: string) =>
  (await app.inject({ url: `/api/exports/${name}`, headers: me })).rawPayload;
const table = (rows: readonly object[]) => Papa.unparse(rows.map((row) => ({ ...row })));
const undo = (id: string) => app.inject({ method: 'POST', url: `/api/imports/${id}/undo`, headers: me });
const meters = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    ...{
      key: `sub-${i}`,
      name_en: `Sub ${i}`,
      template: 'three-phase-meter/carlo-em24',
      gateway: 'gw-m',
      building: 'm',
    },
    ...{
      floor: 'm-1',
      customer: i === 0 ? 'atelier' : '',
      bus: 'm-panel',
      address: 100 + i,
      submeter_of: i === 0 ? 'm-main' : 'sub-0',
    },
    ...{ serves: '', tags: 'critical; stage=2' },
  }));

test.each(['equipment', 'points'])(
  'what is exported of %s and imported again is all unchanged',
  async (kind) => {
    for (const format of ['csv', 'xlsx']) {
      const reply = await app.inject({
        ...{ method: 'POST', url: `/api/imports?kind=${kind}`, payload: await sheet(`${kind}.${format}`) },
        headers: { ...me, 'content-type': 'application/octet-stream' },
      });
      expect(reply.json()).toMatchObject({ add: 0, change: 0, errors: [], batchId: null });
      expect(reply.json().unchanged).toBeGreaterThan(5);
    }
  },
);

test('devices come with the points of their templates, bound to who holds the space, once, and go again by undo', async () => {
  const text = table(meters(3));
  expect(await send('equipment', text, true)).toMatchObject({
    status: 200,
    add: 3,
    errors: [],
    batchId: null,
  });
  const done = await send('equipment', text);
  expect(done).toMatchObject({ status: 201, add: 3, change: 0, errors: [] });
  const { rows } = await sqlPool.query(
    `select e.key, s.key as space, p.key as parent, e.tags, (select count(*)::int from point where equipment_id = e.id) as points
     from equipment e left join space s on s.id = e.space_id left join equipment p on p.id = e.submeter_of
     where e.account_id = $1 and e.key like 'sub-%' order by e.key`,
    [account],
  );
  const tags = { critical: true, stage: 2 };
  const points = templates.get('three-phase-meter/carlo-em24')!.points.length;
  expect(rows).toEqual([
    { key: 'sub-0', space: 'm-101', parent: 'm-main', tags, points },
    { key: 'sub-1', space: null, parent: 'sub-0', tags, points },
    { key: 'sub-2', space: null, parent: 'sub-0', tags, points },
  ]);
  expect(await send('equipment', text)).toMatchObject({ add: 0, change: 0, unchanged: 3, batchId: null });
  const renamed = await send('equipment', text.replace('Sub 1', 'Renamed'));
  expect(renamed).toMatchObject({ add: 0, change: 1, unchanged: 2 });
  expect((await undo(done.batchId)).statusCode).toBe(409);
  expect((await undo(renamed.batchId)).statusCode).toBe(200);
});

test('every fault of a file is told by its row, and nothing is stored', async () => {
  const [good, ...others] = meters(7).map((row, i) => ({
    ...row,
    key: `bad-${i}`,
    customer: '',
    submeter_of: '',
    address: 150 + i,
  }));
  const rows = [
    good!,
    { ...others[0], template: 'none/at-all' },
    { ...others[1], address: '400' },
    { ...others[2], floor: 'nowhere' },
    { ...others[3], customer: 'nobody' },
    { ...others[4], bus: 'm-bacnet' },
    { ...others[5], address: 1 },
  ];
  const first = await send('equipment', table(rows));
  expect(first.status).toBe(400);
  // What a row says by itself and what it says of others, in one pass.
  expect(first.errors.map(({ row, field }: { row: number; field: string }) => [row, field])).toEqual([
    [3, 'template'],
    [4, 'address'],
    [5, 'floor'],
    [6, 'customer'],
    [7, 'bus'],
    [8, 'address'],
  ]);
  const { rows: stored } = await sqlPool.query(`select key from equipment where key like 'bad-%'`);
  expect(stored).toEqual([]);
});

test('a device on a bus that nobody described is stored, and its row says so until somebody does', async () => {
  const [one, other] = meters(2).map((row) => ({ ...row, key: `w-${row.key}`, submeter_of: '' }));
  const text = table([
    { ...one, bus: 'w-riser', address: 21 },
    { ...other, bus: 'w-roof', address: 22 },
  ]);
  const describe = (key: string) =>
    sqlPool.query(
      `insert into bus (id, account_id, gateway_id, key, protocol, params)
       select gen_random_uuid(), account_id, id, $2, 'modbus', '{}' from gateway where account_id = $1 and key = 'gw-m'`,
      [account, key],
    );
  await describe('w-roof');
  const warning = {
    ...{ row: 2, field: 'bus' },
    message: expect.stringMatching(/"w-riser" of the gateway "gw-m".*Add the bus/),
  };
  const told = { add: 2, errors: [], errorCount: 0, warnings: [warning], warningCount: 1 };
  expect(await send('equipment', text, true)).toMatchObject({ status: 200, batchId: null, ...told });
  expect((await send('equipment', text, true, 'zh-CN')).warnings).toEqual([
    { ...warning, message: expect.stringMatching(/网关“gw-m”的总线“w-riser”.*请添加该总线/) },
  ]);
  const done = await send('equipment', text);
  expect(done).toMatchObject({ status: 201, ...told });
  const again = { add: 0, unchanged: 2, errors: [] };
  expect(await send('equipment', text)).toMatchObject({ ...again, warnings: [warning] });
  await describe('w-riser');
  expect(await send('equipment', text)).toMatchObject({ ...again, warnings: [], warningCount: 0 });
  expect((await undo(done.batchId)).json()).toEqual({ rows: 2 });
  expect((await sqlPool.query(`select key from equipment where key like 'w-%'`)).rows).toEqual([]);
});

test('500 points come in from one file, change in place, and go again', async () => {
  const rows = Array.from({ length: 500 }, (_, i) => ({
    ...{
      point: `m-ahu.extra_${i}`,
      name_zh: `点位 ${i}`,
      unit: '°C',
      kind: 'gauge',
      address: `analog-value,${1_000 + i}`,
    },
    ...{
      scale: 0.1,
      deadband: 0.2,
      poll_s: 30,
      customer: 'atelier',
      tags: 'zone; temp',
      brick: 'Zone_Air_Temperature_Sensor',
    },
    ...(i === 0 && { write_min: 10, write_max: 30, write_hold_s: 600 }),
  }));
  const text = table(rows.map((row) => ({ write_min: '', write_max: '', write_hold_s: '', ...row })));
  const done = await send('points', text);
  expect(done).toMatchObject({ status: 201, add: 500, errors: [] });
  const { rows: kept } = await sqlPool.query(
    `select p.name, p.source, p.write, s.key as space, p.version from point p left join space s on s.id = p.space_id where p.key = 'extra_0'`,
  );
  expect(kept).toEqual([
    {
      name: { en: '点位 0', zh: '点位 0' },
      source: { address: 'analog-value,1000', scale: 0.1, deadband: 0.2 },
      write: { min: 10, max: 30, perMinute: 6, priority: 16, holdS: 600, safety: false },
      ...{ space: 'm-101', version: 1 },
    },
  ]);
  expect(await send('points', text)).toMatchObject({ unchanged: 500, batchId: null });
  expect(await send('points', text.replace('analog-value,1007', 'analog-value,9'))).toMatchObject({
    change: 1,
    unchanged: 499,
  });
  const faults = await send(
    'points',
    'point,name_en,unit,kind,address,write_min\nm-ahu.new_one,N,°C,gauge,,\nno-such.x,N,°C,gauge,a,\nm-ahu.new_two,N,°C,gauge,av,5\n',
  );
  expect(faults.errors.map(({ row, field }: { row: number; field: string }) => [row, field])).toEqual([
    [2, 'address'],
    [3, 'point'],
    [4, 'write_min'],
  ]);
});

import { randomUUID } from 'node:crypto';
import type { InjectOptions } from 'fastify';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { systemNow as now } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { givenFleet, mixedPark } from './testing.ts';
import { thingRoutes } from './thing-routes.ts';

const { app: db, owner, pool } = await clonedDatabase();
const [ours, theirs] = [await givenAccount(owner), await givenAccount(owner)];
await givenFleet(owner, ours, mixedPark);
await givenFleet(owner, theirs, mixedPark);
const app = await createTestApp(db);
const withReadings = () => Promise.resolve(new Set<string>());
await app.register(thingRoutes({ db, now, newId, secrets: createSecrets(undefined), withReadings }));
const me = await loggedIn(owner, ours);
const sql = pool();
const idOf = async (table: string, key: string, account = ours): Promise<string> =>
  (await sql.query(`select id from ${table} where account_id = $1 and key = $2`, [account, key])).rows[0].id;
const floor = await idOf('floor', 'm-1');
const url = `/api/floors/${floor}/plan`;

async function ask(method: 'GET' | 'PUT' | 'DELETE', path: string, options: InjectOptions = {}) {
  const reply = await app.inject({ method, url: path, ...options, headers: { ...me, ...options.headers } });
  const isJson = String(reply.headers['content-type']).startsWith('application/json');
  const { statusCode: status, headers, rawPayload: bytes } = reply;
  return { status, body: isJson ? reply.json() : undefined, bytes, headers };
}
const put = (payload: Buffer | string, headers: Record<string, string> = {}, path = url) =>
  ask('PUT', `${path}/image`, { payload, headers: { 'content-type': 'image/png', ...headers } });
const drawing =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3.2 1.6"><script>alert(1)</script><rect width="1"/></svg>';

test('a drawing comes in cut down to what draws, whatever it is called, and goes out so that it runs nothing', async () => {
  const planned = async () => (await ask('GET', '/api/floor-plans')).body.items;
  expect((await ask('GET', url)).status).toBe(404);
  expect(await planned()).toEqual([]);
  const made = await put(drawing);
  expect([made.status, made.headers['etag']]).toEqual([200, '"1"']);
  expect(made.body).toMatchObject({
    width: 2_000,
    height: 1_000,
    marks: { spaces: [], devices: [] },
    version: 1,
  });
  const image = await ask('GET', made.body.image);
  expect(image.headers).toMatchObject({
    'content-type': 'image/svg+xml',
    'content-disposition': 'attachment; filename="plan.svg"',
    'content-security-policy': expect.stringContaining('sandbox'),
    'x-content-type-options': 'nosniff',
  });
  expect(image.bytes.toString()).toMatch(/<rect/);
  expect(image.bytes.toString()).not.toMatch(/script|alert/);
  expect(await planned()).toMatchObject([{ floorId: floor, version: 1 }]);
});

test('a picture takes its place on the version that was seen, and what is no picture is refused', async () => {
  const picture = await sharp({ create: { width: 5_000, height: 100, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  expect((await put(picture)).status).toBe(428);
  const stale = await put(picture, { 'if-match': '"9"' });
  expect([stale.status, stale.body.code, stale.body.details.current.version]).toEqual([409, 'stale_edit', 1]);
  const taken = await put(picture, { 'if-match': '"1"' });
  expect(taken.body).toMatchObject({ width: 4_000, height: 80, version: 2 });
  expect((await ask('GET', taken.body.image)).headers['content-type']).toBe('image/webp');
  for (const [bytes, status] of [
    ['%PDF-1.7', 415],
    ['<html><script>1</script>', 415],
    ['key,name\n1,2', 415],
    [Buffer.alloc(10 * 1024 * 1024 + 1), 413],
  ] as const)
    expect((await put(bytes as Buffer, { 'if-match': '"2"' })).status).toBe(status);
});

test('spaces and devices of the floor are put on it, once each, and somebody else’s are not', async () => {
  const [space, device, foreign] = [
    await idOf('space', 'm-101'),
    await idOf('equipment', 'm-ahu'),
    await idOf('space', 'm-101', theirs),
  ];
  const ring = [[0, 0], [0.5, 0], [0.5, 0.5]]; // prettier-ignore
  const marks = { spaces: [{ spaceId: space, ring }], devices: [{ equipmentId: device, at: [0.25, 0.75] }] };
  const save = (payload: object, version = 2) =>
    ask('PUT', url, { payload, headers: { 'if-match': `"${version}"` } });
  const faults = await save({
    spaces: [{ spaceId: foreign, ring }],
    devices: [...marks.devices, ...marks.devices],
  });
  expect(faults.body.details.map(({ field }: { field: string }) => field)).toEqual([
    'body.spaces.0.spaceId',
    'body.devices.1.equipmentId',
  ]);
  expect((await save({ ...marks, spaces: [{ spaceId: space, ring: [[0, 0], [2, 0], [0, 1]] }] })).status).toBe(400); // prettier-ignore
  const saved = await save(marks);
  expect([saved.status, saved.body.marks, saved.body.version]).toEqual([200, marks, 3]);
  expect((await save({ spaces: [], devices: [] })).body.details.current.marks).toEqual(marks);
  // A new picture leaves what is on it.
  expect((await put(drawing, { 'if-match': '"3"' })).body.marks).toEqual(marks);
});

test('a plan of another account does not exist', async () => {
  const other = `/api/floors/${await idOf('floor', 'm-1', theirs)}/plan`;
  expect((await put(drawing, {}, other)).status).toBe(404);
  expect((await ask('GET', other)).status).toBe(404);
  expect((await put(drawing, {}, `/api/floors/${randomUUID()}/plan`)).status).toBe(404);
  expect((await ask('DELETE', url, { headers: { 'if-match': '"4"' } })).status).toBe(204);
  expect((await ask('GET', url)).status).toBe(404);
});

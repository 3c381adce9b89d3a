import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions } from 'fastify';
import { describe, expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { systemNow as now } from '../platform/clock.ts';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets, newKeyLine } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { gatewayConnections } from './bus-repository.ts';
import { fleetRoutes } from './routes.ts';
import { givenFleet, mixedPark } from './testing.ts';
import { thingRoutes } from './thing-routes.ts';

const { app: db, owner, pool } = await clonedDatabase();
const sqlPool = pool();
const [ours, theirs] = [await givenAccount(owner), await givenAccount(owner)];
await givenFleet(owner, ours, mixedPark);
await givenFleet(owner, theirs, mixedPark);
const keyFile = join(mkdtempSync(join(tmpdir(), 'parkline-things-')), 'keys');
writeFileSync(keyFile, newKeyLine('one'));
const secrets = createSecrets(keyFile);

/** Points that have readings, by id. */
const read = new Set<string>();
const withReadings = (_db: unknown, _account: string, ids: readonly string[]) =>
  Promise.resolve(new Set(ids.filter((id) => read.has(id))));
const app = await createTestApp(db);
await app.register(fleetRoutes({ db, now }));
await app.register(thingRoutes({ db, now, newId, secrets, withReadings }));
const me = await loggedIn(owner, ours);
const stranger = await loggedIn(owner, theirs);

async function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, options: InjectOptions = {}) {
  const reply = await app.inject({ method, url, ...options, headers: { ...me, ...options.headers } });
  const isJson = String(reply.headers['content-type']).startsWith('application/json');
  return {
    status: reply.statusCode,
    body: isJson ? reply.json() : reply.body,
    etag: String(reply.headers['etag']),
  };
}
const at = (etag: string) => ({ headers: { 'if-match': etag } });
const idOf = async (table: string, key: string, account = ours): Promise<string> =>
  (await sqlPool.query(`select id from ${table} where account_id = $1 and key = $2`, [account, key])).rows[0]
    .id;
const [gatewayId, buildingId, floorId, spaceId, main, ahu] = [
  ...[await idOf('gateway', 'gw-m'), await idOf('building', 'm'), await idOf('floor', 'm-1')],
  ...[await idOf('space', 'm-101'), await idOf('equipment', 'm-main'), await idOf('equipment', 'm-ahu')],
] as const;
const foreign = {
  space: await idOf('space', 'm-101', theirs),
  floor: await idOf('floor', 'm-1', theirs),
  gateway: await idOf('gateway', 'gw-m', theirs),
};
const meter = (over: object = {}) => ({
  ...{
    key: `m-${randomUUID().slice(0, 8)}`,
    name: { en: 'New', zh: '新表' },
    template: 'three-phase-meter/carlo-em24',
  },
  ...{ gatewayId, buildingId, floorId, spaceId, bus: 'm-panel', params: { unit: 40, transport: 'tcp' } },
  ...{ submeterOfId: main, serves: [], tags: {}, brick: null },
  ...over,
});
const audited = async (id: string) =>
  (await sqlPool.query('select action, content from audit_event where subject_id = $1 order by seq', [id]))
    .rows;

describe('a device', () => {
  test('is made with the points of its template, changed on its version alone, and leaves a trail', async () => {
    const made = await ask('POST', '/api/equipment', {
      payload: meter({ params: { unit: 41, transport: 'tcp' } }),
    });
    expect([made.status, made.etag]).toEqual([201, '"1"']);
    const { id, key } = made.body;
    expect(made.body).toMatchObject({
      kind: 'three-phase-meter',
      protocol: 'modbus',
      state: 'unknown',
      spaceId,
      version: 1,
    });
    expect(made.body.points).toBeGreaterThan(10);

    const body = meter({
      key,
      params: { unit: 41, transport: 'tcp' },
      name: { en: 'Renamed', zh: '改名' },
      tags: { critical: true },
    });
    const first = await ask('PUT', `/api/equipment/${id}`, { ...at('"1"'), payload: body });
    expect([first.status, first.etag, first.body.name]).toEqual([200, '"2"', 'Renamed']);
    const late = await ask('PUT', `/api/equipment/${id}`, {
      ...at('"1"'),
      payload: { ...body, name: { en: 'Lost', zh: '丢' } },
    });
    expect([late.status, late.body.code]).toEqual([409, 'stale_edit']);
    expect(late.body.details.current).toMatchObject({
      name: 'Renamed',
      version: 2,
      tags: { critical: true },
    });
    expect((await ask('PUT', `/api/equipment/${id}`, { payload: body })).status).toBe(428);

    const served = await ask('PUT', `/api/equipment/${id}`, {
      ...at('"2"'),
      payload: { ...body, serves: [floorId] },
    });
    expect([served.body.serves, served.etag]).toEqual([[floorId], '"3"']);
    expect(await audited(id)).toMatchObject([
      { action: 'equipment.created', content: { after: { key } } },
      {
        action: 'equipment.changed',
        content: { before: { name: { en: 'New' }, tags: {} }, after: { tags: { critical: true } } },
      },
      { action: 'equipment.changed', content: { before: { serves: [] }, after: { serves: [floorId] } } },
    ]);
  });

  test.each([
    ['an address of another protocol', { params: { device: 7 } }, 'body.params'],
    ['an address out of range', { params: { unit: 300, transport: 'tcp' } }, 'body.params.unit'],
    [
      'more in the address than it has',
      { params: { unit: 44, transport: 'tcp', password: 'x' } },
      'body.params',
    ],
    ['an address that is taken', { params: { unit: 1, transport: 'tcp' } }, 'body.params.unit'],
    ['a key that is taken', { key: 'm-main', params: { unit: 45, transport: 'tcp' } }, 'body.key'],
    ['a template that is not there', { template: 'three-phase-meter/none' }, 'body.template'],
    ['a bus of another protocol', { bus: 'm-bacnet' }, 'body.bus'],
    ['a floor of nowhere', { floorId: randomUUID() }, 'body.floorId'],
    ['a space of another account', { spaceId: foreign.space }, 'body.spaceId'],
    ['a place to serve of another account', { serves: [foreign.floor] }, 'body.serves.0'],
    ['a gateway of another account', { gatewayId: foreign.gateway }, 'body.gatewayId'],
    ['a parent that is no meter', { submeterOfId: ahu }, 'body.submeterOfId'],
  ])('is refused with %s', async (_what, over, field) => {
    const { status, body } = await ask('POST', '/api/equipment', { payload: meter(over) });
    expect([status, body.details[0].field]).toEqual([400, expect.stringContaining(field)]);
  });

  test('cannot hang behind itself, by whatever way round', async () => {
    const { body } = await ask('GET', `/api/equipment/${main}`);
    const child = await idOf('equipment', 'm-101');
    const { names: name, template, params, bus, tags, brick, serves } = body;
    const payload = {
      key: 'm-main',
      name,
      template,
      params,
      bus,
      tags,
      brick,
      serves,
      gatewayId,
      buildingId,
      floorId: null,
      spaceId: null,
    };
    for (const submeterOfId of [main, child]) {
      const refused = await ask('PUT', `/api/equipment/${main}`, {
        ...at(`"${body.version}"`),
        payload: { ...payload, submeterOfId },
      });
      expect([refused.status, refused.body.details[0].field]).toEqual([400, 'body.submeterOfId']);
    }
  });

  test('is deleted while nothing was heard of it, and retired afterwards', async () => {
    const fresh = (
      await ask('POST', '/api/equipment', { payload: meter({ params: { unit: 50, transport: 'tcp' } }) })
    ).body;
    expect((await ask('DELETE', `/api/equipment/${fresh.id}`, at('"1"'))).body).toEqual({
      removed: 'deleted',
    });
    expect((await ask('GET', `/api/equipment/${fresh.id}`)).status).toBe(404);

    const heard = (
      await ask('POST', '/api/equipment', { payload: meter({ params: { unit: 51, transport: 'tcp' } }) })
    ).body;
    const { body: points } = await ask('GET', `/api/model/points?equipment=${heard.id}`);
    read.add(points.items[0].id);
    expect((await ask('DELETE', `/api/equipment/${heard.id}`, at('"1"'))).body).toEqual({
      removed: 'retired',
    });
    const kept = (await ask('GET', `/api/equipment/${heard.id}`)).body;
    expect([kept.retiredAt !== null, kept.version]).toEqual([true, 2]);
    expect(
      (await ask('GET', '/api/equipment?limit=500')).body.items.map(({ id }: { id: string }) => id),
    ).not.toContain(heard.id);
    // Its address is free again.
    expect(
      (await ask('POST', '/api/equipment', { payload: meter({ params: { unit: 51, transport: 'tcp' } }) }))
        .status,
    ).toBe(201);
    expect(
      (await ask('PUT', `/api/equipment/${heard.id}`, { ...at('"2"'), payload: meter() })).body.details.why,
    ).toBe('retired');
  });

  test('of another account does not exist for anybody else', async () => {
    const asStranger = { headers: { ...stranger, 'if-match': '"1"' } };
    expect((await ask('GET', `/api/equipment/${main}`, asStranger)).status).toBe(404);
    expect((await ask('PUT', `/api/equipment/${main}`, { ...asStranger, payload: meter() })).status).toBe(
      404,
    );
    expect((await ask('DELETE', `/api/equipment/${main}`, asStranger)).status).toBe(404);
  });
});

describe('a point', () => {
  const point = (over: object = {}) => ({
    ...{
      key: `p_${randomUUID().slice(0, 6)}`,
      name: { en: 'Filter age', zh: '滤网寿命' },
      unit: 's',
      kind: 'gauge',
      resolution: 1,
    },
    ...{
      decimals: 0,
      pollMs: 60_000,
      heartbeatMs: 300_000,
      states: null,
      write: null,
      spaceId: null,
      tags: {},
      brick: null,
    },
    ...{ source: { address: 'analog-input,77', scale: 1, deadband: 1 } },
    ...over,
  });

  test('of its own is added to a device, found by its tags, changed and deleted', async () => {
    const made = await ask('POST', `/api/equipment/${ahu}/points`, {
      payload: point({ key: 'filter_age', tags: { filter: true, hours: 5 } }),
    });
    expect([made.status, made.body]).toMatchObject([
      201,
      { ref: 'm-ahu.filter_age', gaps: expect.arrayContaining(['class']) },
    ]);
    const found = await ask('GET', `/api/model/points?filter=${encodeURIComponent('filter and hours > 3')}`);
    expect(found.body.items.map(({ id }: { id: string }) => id)).toEqual([made.body.id]);
    const changed = await ask('PUT', `/api/points/${made.body.id}`, {
      ...at('"1"'),
      payload: point({ key: 'filter_age', brick: 'Filter_Status' }),
    });
    expect([changed.status, changed.etag, changed.body.brickClass]).toEqual([200, '"2"', 'Filter_Status']);
    expect(
      (await ask('PUT', `/api/points/${made.body.id}`, { ...at('"1"'), payload: point() })).body.code,
    ).toBe('stale_edit');
    expect((await ask('DELETE', `/api/points/${made.body.id}`, at('"2"'))).body).toEqual({
      removed: 'deleted',
    });
  });

  test('that lacks a class, a unit, a place or its device is listed as unmapped until it has it', async () => {
    const device = await ask('POST', '/api/equipment', { payload: meter({ floorId: null, spaceId: null }) });
    const { id } = device.body;
    const bare = point({ key: 'bare', unit: '1', source: { address: 'hr:900', scale: 1, deadband: 1 } });
    const made = await ask('POST', `/api/equipment/${id}/points`, { payload: bare });
    expect([made.status, made.body.gaps]).toEqual([201, ['class', 'unit', 'space']]);
    const gapsIn = async (query: string) => {
      const reply = await ask('GET', `/api/model/points?equipment=${id}&limit=500&${query}`);
      const items = reply.body.items as { key: string; gaps: string[] }[];
      return items.find(({ key }) => key === 'bare')?.gaps;
    };
    expect(await gapsIn('unmapped=true')).toEqual(['class', 'unit', 'space']);
    expect(await gapsIn('unmapped=false')).toBeUndefined();
    const mapped = { ...bare, unit: '°C', brick: 'Air_Temperature_Sensor', spaceId };
    const changed = await ask('PUT', `/api/points/${made.body.id}`, { ...at('"1"'), payload: mapped });
    expect([changed.status, changed.body.gaps]).toEqual([200, []]);
    expect(await gapsIn('unmapped=true')).toBeUndefined();
    expect(await gapsIn('unmapped=false')).toEqual([]);
    read.add(made.body.id);
    expect((await ask('DELETE', `/api/equipment/${id}`, at('"1"'))).body).toEqual({ removed: 'retired' });
    expect(await gapsIn('unmapped=true&retired=true')).toEqual(['equipment']);
  });

  test.each([
    ['no way to read it', { source: null }, 'body.source'],
    [
      'a register with a deadband',
      { kind: 'register', source: { address: 'x', scale: 1, deadband: 1 } },
      'body.source.deadband',
    ],
    ['a scale of nothing', { source: { address: 'x', scale: 0, deadband: 0 } }, 'body.source.scale'],
    [
      'limits upside down',
      { write: { min: 5, max: 1, perMinute: 6, priority: 16, holdS: 60, safety: false } },
      'body.write',
    ],
    [
      'a priority of life safety',
      { write: { min: 0, max: 1, perMinute: 6, priority: 3, holdS: 60, safety: false } },
      'body.write.priority',
    ],
    ['states of a gauge', { states: { 0: { en: 'off', zh: '关' } } }, 'body.states'],
    ['a key that is taken', { key: 'supply_air_temperature', source: null, unit: '°C' }, 'body'],
    ['an unknown unit', { unit: 'furlong' }, 'body.unit'],
  ])('is refused with %s', async (_what, over, field) => {
    const { status, body } = await ask('POST', `/api/equipment/${ahu}/points`, { payload: point(over) });
    expect([status, body.details[0].field]).toEqual([400, expect.stringContaining(field)]);
  });

  test('of the template keeps its unit, and its limits can only be narrowed', async () => {
    const { body } = await ask(
      'GET',
      `/api/model/points?filter=${encodeURIComponent('writable and equipRef==@m-ahu')}`,
    );
    const one = body.items[0];
    const {
      id,
      key,
      names,
      unit,
      kind,
      resolution,
      decimals,
      pollMs,
      heartbeatMs,
      states,
      write,
      spaceId: place,
      tags,
      brick,
    } = one;
    const same = {
      key,
      name: names,
      unit,
      kind,
      resolution,
      decimals,
      pollMs,
      heartbeatMs,
      states,
      write,
      spaceId: place,
      tags,
      brick,
      source: null,
    };
    const put = (over: object) =>
      ask('PUT', `/api/points/${id}`, { ...at(`"${one.version}"`), payload: { ...same, ...over } });
    expect((await put({ unit: 'ppm' })).body.details[0].field).toBe('body.unit');
    expect(
      (await put({ write: { ...write, max: write.max + 10 } })).body.details.map(
        ({ field }: { field: string }) => field,
      ),
    ).toContain('body.write.max');
    const narrowed = await put({ write: { ...write, perMinute: 1 } });
    expect([narrowed.status, narrowed.body.write.perMinute]).toEqual([200, 1]);
    const retired = await ask('DELETE', `/api/points/${id}`, at(`"${narrowed.body.version}"`));
    expect(retired.body).toEqual({ removed: 'retired' });
  });
});

describe('a bus and its secrets', () => {
  test('a secret goes in sealed and comes out nowhere but in the configuration of its gateway', async () => {
    const secret = `s-${randomUUID()}`;
    const payload = {
      gatewayId,
      key: 'm-ua',
      protocol: 'opcua',
      params: { endpointUrl: 'opc.tcp://10.0.0.9:4840', user: 'park' },
    };
    const refused = await ask('POST', '/api/buses', {
      payload: { ...payload, params: { ...payload.params, password: secret } },
    });
    expect([refused.status, refused.body.details[0].field]).toEqual([400, 'body.params.password']);
    const bus = (await ask('POST', '/api/buses', { payload })).body;
    expect(
      (await ask('PUT', `/api/buses/${bus.id}/secrets/password`, { payload: { value: secret } })).body,
    ).toMatchObject({ name: 'password' });
    const gate = await idOf('equipment', 'm-gate');
    await ask('PUT', `/api/equipment/${gate}/secrets/token`, { payload: { value: `${secret}-token` } });

    for (const url of [
      '/api/buses',
      `/api/equipment/${gate}`,
      '/api/exports/model.json',
      '/api/exports/model.ttl',
    ])
      expect(JSON.stringify((await ask('GET', url)).body)).not.toContain(secret);
    const { rows } = await sqlPool.query(
      `select sealed_value from bus_secret union all select sealed_value from equipment_secret`,
    );
    expect(rows).toHaveLength(2);
    for (const { sealed_value: sealed } of rows) expect(sealed).toMatch(/^sealed:v1:one:/);
    expect(JSON.stringify(await audited(bus.id))).not.toContain(secret);

    const opened = await withAccount(db, ours, (trx) => gatewayConnections(trx, secrets, ours, gatewayId));
    expect(opened.ports['m-ua']).toEqual({ params: { ...payload.params, password: secret } });
    expect(opened.tokens).toEqual({ 'm-gate': `${secret}-token` });
    expect(
      (
        await ask('PUT', `/api/buses/${bus.id}/secrets/password`, {
          payload: { value: 'x' },
          headers: stranger,
        })
      ).status,
    ).toBe(404);
  });

  test('sends its password to the address it was given for, to no other, and to none once it is taken away', async () => {
    const payload = {
      gatewayId,
      key: 'm-ua-2',
      protocol: 'opcua',
      params: { endpointUrl: 'opc.tcp://10.0.0.9:4840' },
    };
    const bus = (await ask('POST', '/api/buses', { payload })).body;
    await ask('PUT', `/api/buses/${bus.id}/secrets/password`, { payload: { value: `s-${randomUUID()}` } });
    const put = async (change: object) => {
      const { body, etag } = await ask('GET', '/api/buses').then(({ body: { items } }) => {
        const now = items.find(({ id }: { id: string }) => id === bus.id);
        return { body: now, etag: `"${now.version}"` };
      });
      expect(body.key).toBe('m-ua-2');
      return (await ask('PUT', `/api/buses/${bus.id}`, { ...at(etag), payload: { ...payload, ...change } }))
        .body;
    };
    expect((await put({})).secrets).toMatchObject([{ name: 'password' }]);
    expect((await put({ params: { endpointUrl: 'opc.tcp://10.6.6.6:4840' } })).secrets).toEqual([]);
    expect((await put({})).secrets).toEqual([]);

    const secret = `/api/buses/${bus.id}/secrets/password`;
    await ask('PUT', secret, { payload: { value: `s-${randomUUID()}` } });
    expect([(await ask('DELETE', secret)).status, (await put({})).secrets]).toEqual([204, []]);
    expect(JSON.stringify(await audited(bus.id))).toContain('bus.secret_removed');
  });

  test('is not deleted while devices hang on it', async () => {
    const bus = (
      await ask('POST', '/api/buses', {
        payload: { gatewayId, key: 'm-panel', protocol: 'modbus', params: { host: '10.0.0.7' } },
      })
    ).body;
    expect((await ask('DELETE', `/api/buses/${bus.id}`, at('"1"'))).body.details).toEqual({
      why: 'bus_used',
    });
    const moved = await ask('PUT', `/api/buses/${bus.id}`, {
      ...at('"1"'),
      payload: { gatewayId, key: 'other', protocol: 'modbus', params: {} },
    });
    expect(moved.body.details[0].field).toBe('body.key');
    const again = await ask('PUT', `/api/buses/${bus.id}`, {
      ...at('"1"'),
      payload: { gatewayId, key: 'm-panel', protocol: 'modbus', params: { host: '10.0.0.8' } },
    });
    expect([again.status, again.etag]).toEqual([200, '"2"']);
  });
});

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { serveThings } from './testing-things.ts';

const {
  read,
  stranger,
  ask,
  at,
  idOf,
  audited,
  meter,
  foreign,
  gatewayId,
  buildingId,
  floorId,
  spaceId,
  main,
  ahu,
} = await serveThings();

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

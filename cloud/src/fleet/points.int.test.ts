import { randomUUID } from 'node:crypto';
import { PointBody } from '@parkline/contract';
import { describe, expect, test } from 'vitest';
import { serveThings } from './testing-things.ts';

const { read, ask, at, meter, spaceId, ahu } = await serveThings();

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
    const { id, write } = one;
    const fields = Object.keys(PointBody.properties).map((name) => [name, one[name]]);
    const same = { ...Object.fromEntries(fields), name: one.names, source: null };
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

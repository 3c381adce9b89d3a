import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { withAccount } from '../platform/db.ts';
import { gatewayConnections } from './bus-repository.ts';
import { serveThings } from './testing-things.ts';

const { db, secrets, ours, stranger, ask, at, idOf, rowsOf, audited, gatewayId } = await serveThings();

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
    const rows = await rowsOf(
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
    const [other] = await rowsOf(`insert into gateway (id, account_id, building_id, key, name)
      select gen_random_uuid(), account_id, building_id, 'gw-other', name from gateway where id = '${gatewayId}' returning id`);
    for (const moved of [{ gatewayId: other.id }, { protocol: 'mqtt' }]) {
      await ask('PUT', secret, { payload: { value: `s-${randomUUID()}` } });
      expect((await put(moved)).secrets).toEqual([]);
      await put({});
    }
    await ask('PUT', secret, { payload: { value: `s-${randomUUID()}` } });
    expect([(await ask('DELETE', secret)).status, (await put({})).secrets]).toEqual([204, []]);
    expect(JSON.stringify(await audited(bus.id))).toContain('bus.secret_removed');
  });

  test.each([99_999, 0, '502', 1.5])('takes no port %j', async (port) => {
    const payload = { gatewayId, key: 'm-port', protocol: 'modbus', params: { host: '10.0.0.7', port } };
    const { status, body } = await ask('POST', '/api/buses', { payload });
    expect([status, body.details[0].field]).toEqual([400, 'body.params.port']);
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

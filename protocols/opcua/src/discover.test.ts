import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpcuaBench, startOpcuaBench } from '../../../tests/support/opcua.ts';
import { allOf, connectionTo, never } from './testing.ts';

let bench: OpcuaBench;
beforeAll(async () => {
  bench = await startOpcuaBench({
    devices: ['Lift1'],
    variables: [{ name: 'Speed', as: 'Double', quantity: 'speed', weight: 1, digits: 2 }],
    value: () => 1,
  });
}, 60_000);
afterAll(() => bench.stop());

test('a server is asked who it is before anybody trusts it', async () => {
  const connection = connectionTo(bench, { serverFingerprint: undefined });
  const [server, ...others] = await allOf(connection.discover!({}, never()));
  await connection.close();
  expect(others).toEqual([]);
  expect(server?.label).toBeTruthy();
  expect(server?.facts).toMatchObject({
    fingerprint: bench.fingerprint.replaceAll(':', '').toLowerCase(),
    security: expect.stringContaining('Basic256Sha256 SignAndEncrypt'),
    login: expect.stringContaining('anonymous'),
  });
});

test('nobody there is said so, in time', async () => {
  const connection = connectionTo(bench, { endpointUrl: 'opc.tcp://127.0.0.1:9' });
  await expect(allOf(connection.discover!({}, never()))).rejects.toMatchObject({ code: 'lost' });
  await connection.close();
});

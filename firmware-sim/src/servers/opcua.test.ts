import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createFaults } from '../faults.ts';
import { noLog } from '../request-log.ts';
import { createOpcuaServer, type OpcuaServerDeps } from './opcua.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'parkline-opcua-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const device = (key: string, address: unknown) => ({
  key,
  address,
  table: { device: 'x', variables: [] },
  quantities: new Map(),
});
const server = (devices: OpcuaServerDeps['devices']) =>
  createOpcuaServer({ bus: 'a-opcua', devices, faults: createFaults(), log: noLog, now: Date.now, dataDir });

test('the certificate outlives a restart, and the port is free in between', async () => {
  const bus = server([device('lift-a-1', { root: 'Lift1' })]);
  const place = await bus.listen({ host: '127.0.0.1', port: 0 });
  expect(place.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  await bus.close();
  await bus.close();
  expect(await bus.listen(place)).toEqual(place);
  await bus.close();
  const again = server([]);
  expect(await again.listen(place)).toEqual(place);
  await again.close();
  expect(statSync(join(dataDir, 'opcua-key.pem')).mode & 0o077).toBe(0);
}, 120_000); // Each start takes a while on a busy machine.

test('a port that is taken is refused, and the server can try another', async () => {
  const [first, second] = [server([]), server([])];
  const place = await first.listen({ host: '127.0.0.1', port: 0 });
  await expect(second.listen(place)).rejects.toThrow();
  const other = await second.listen({ host: '127.0.0.1', port: 0 });
  expect(other.port).not.toBe(place.port);
  await second.close();
  await first.close();
}, 120_000);

test.each([[undefined], [null], [{}], [{ root: '' }], [{ root: 7 }]])(
  'an address without a root is refused: %o',
  (address) => {
    expect(() => server([device('lift-a-1', address)])).toThrow(/lift-a-1: address must be/);
  },
);

test('two devices at one root are refused', () => {
  expect(() => server([device('a', { root: 'Lift1' }), device('b', { root: 'Lift1' })])).toThrow(
    'two devices at root Lift1',
  );
});

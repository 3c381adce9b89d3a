import { type Connection, type Driver, DriverError, type DriverModule } from '@parkline/kit';
import { expect, test } from 'vitest';
import type { GatewayConfig } from './config/schema.ts';
import { openDevices } from './devices.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const bus = (driver: string, ...names: string[]): GatewayConfig['connections'][number] => ({
  ...{ id: driver, driver, params: { protocol: driver } },
  devices: names.map((name) => ({ equipmentId: name, name, params: { name }, points: [] })),
});
const configOf = (...connections: GatewayConfig['connections']) =>
  ({ connections }) as unknown as GatewayConfig;

/** A protocol whose devices named 'bad' and whose connections called 'broken' are refused. */
function given() {
  const loaded: string[] = [];
  const closed: string[] = [];
  async function loadDriver(protocol: string): Promise<DriverModule> {
    loaded.push(protocol);
    if (protocol === 'unknown') throw new DriverError('config', 'no driver unknown', 'registry');
    return Promise.resolve({ protocol, openConnection: () => connection(protocol) });
  }
  function connection(protocol: string): Connection {
    if (protocol === 'broken') throw new DriverError('config', 'port is missing', protocol);
    return {
      device(params) {
        const { name } = params as { name: string };
        if (name === 'bad') throw new DriverError('config', 'unit 300 is out of range', protocol);
        return { close: () => Promise.resolve(closed.push(name)) } as unknown as Driver;
      },
      close: () => Promise.resolve(void closed.push(protocol)),
    };
  }
  return { loaded, closed, deps: { loadDriver, now: () => 0, log, dataDir: '/nowhere' } };
}

test('a device, a bus or a protocol that cannot be used costs only itself', async () => {
  const { deps } = given();
  const config = configOf(bus('good', 'a', 'bad', 'b'), bus('broken', 'c'), bus('unknown', 'd'));
  const { devices, broken } = await openDevices(config, deps);
  expect(devices.map(({ config: { name } }) => name)).toEqual(['a', 'b']);
  expect(broken.map(({ equipmentId, error }) => [equipmentId, (error as Error).message])).toEqual([
    ['bad', 'unit 300 is out of range'],
    ['c', 'port is missing'],
    ['d', 'no driver unknown'],
  ]);
});

test('closing closes every device and every bus', async () => {
  const { deps, closed } = given();
  const open = await openDevices(configOf(bus('one', 'a', 'b'), bus('two', 'c')), deps);
  await open.close();
  expect(closed.toSorted()).toEqual(['a', 'b', 'c', 'one', 'two']);
});

test('a protocol is not loaded before a connection names it', async () => {
  const { deps, loaded } = given();
  await openDevices(configOf(), deps);
  expect(loaded).toEqual([]);
});

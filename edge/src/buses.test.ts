import { type Driver, DriverError } from '@parkline/kit';
import { expect, test } from 'vitest';
import { type Buses, openBuses } from './buses.ts';
import type { ConnectionConfig } from './config/schema.ts';
import type { FieldConnection, FieldModule } from './host/remote.ts';
import { createVirtualTime } from './testing/virtual-time.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const bus = (driver: string, ...names: string[]): ConnectionConfig => ({
  ...{ id: driver, driver, params: { protocol: driver } },
  devices: names.map((name) => ({ equipmentId: name, name, params: { name }, points: [] })),
});

/** A protocol whose devices named 'bad' and whose connections called 'broken' are refused; 'later' works the second time. */
function given() {
  const time = createVirtualTime(0);
  const events: string[] = [];
  const loaded: string[] = [];
  const broken: string[] = [];
  let isEarly = true;
  function connection(protocol: string): FieldConnection {
    if (protocol === 'broken') throw new DriverError('config', 'port is missing', protocol);
    events.push(`open ${protocol}`);
    return {
      device(params) {
        const { name } = params as { name: string };
        if (name === 'bad') throw new DriverError('config', 'unit 300 is out of range', protocol);
        if (name === 'later' && isEarly) throw new DriverError('lost', 'the driver crashed', protocol);
        return { close: () => Promise.resolve(void events.push(`close ${name}`)) } as unknown as Driver;
      },
      close: () => Promise.resolve(void events.push(`close ${protocol}`)),
    };
  }
  const open = (...connections: ConnectionConfig[]): Promise<Buses> =>
    openBuses(connections, {
      async loadDriver(protocol): Promise<FieldModule> {
        loaded.push(protocol);
        if (protocol === 'unknown') throw new DriverError('config', 'no driver unknown', 'registry');
        return Promise.resolve({ protocol, openConnection: () => connection(protocol) });
      },
      ...{ now: () => 0, log, dataDir: '/nowhere', wait: time.wait, random: () => 0 },
      onBroken: ({ equipmentId }, error) => void broken.push(`${equipmentId}: ${(error as Error).message}`),
      work: ({ config }, _phase, signal) => [working(config.name, signal)],
    });
  async function working(name: string, signal: AbortSignal): Promise<void> {
    events.push(`work ${name}`);
    if (name === 'fatal') throw new Error('disk image is malformed');
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    events.push(`stop ${name}`);
  }
  const names = (buses: Buses): string[] => buses.devices().map(({ config }) => config.name);
  const heal = (): void => void (isEarly = false);
  return { time, events, loaded, broken, open, names, heal };
}

/** Runs until the end of the test body. */
function running(buses: Buses) {
  const stop = new AbortController();
  const done = buses.run(stop.signal);
  return () => {
    stop.abort();
    return done;
  };
}

test('a device, a bus or a protocol that cannot be used costs only itself', async () => {
  const { open, broken, names } = given();
  const buses = await open(bus('good', 'a', 'bad', 'b'), bus('broken', 'c'), bus('unknown', 'd'));
  expect(names(buses)).toEqual(['a', 'b']);
  expect(broken.toSorted()).toEqual([
    'bad: unit 300 is out of range',
    'c: port is missing',
    'd: no driver unknown',
  ]);
});

test('only what another configuration must mend is given up; a driver that crashed is asked again', async () => {
  const { time, open, loaded, names, heal } = given();
  const buses = await open(bus('good', 'later', 'bad'), bus('unknown', 'd'));
  const stop = running(buses);
  await time.advance(5_000);
  expect(names(buses)).toEqual([]);
  heal();
  await time.advance(60_000);
  expect(names(buses)).toEqual(['later']);
  expect(loaded).toEqual(['good', 'unknown']);
  await stop();
});

test('a stop ends the work, then closes every device and every bus', async () => {
  const { open, events } = given();
  const stop = running(await open(bus('one', 'a', 'b'), bus('two', 'c')));
  events.length = 0;
  await stop();
  expect(events.slice(0, 3)).toEqual(['stop a', 'stop b', 'stop c']);
  expect(events.slice(3).toSorted()).toEqual(['close a', 'close b', 'close c', 'close one', 'close two']);
});

test('a protocol is not loaded before a connection with a device names it', async () => {
  const { open, loaded } = given();
  await open(bus('empty'));
  expect(loaded).toEqual([]);
});

test('what ends the work of one device ends the run', async () => {
  const { open, events } = given();
  const buses = await open(bus('one', 'fatal', 'a'));
  await expect(buses.run(new AbortController().signal)).rejects.toThrow('disk image is malformed');
  expect(events).toContain('close a');
});

test('a change touches what changed, and nothing else', async () => {
  const { open, events, names } = given();
  const two = bus('two', 'c', 'd');
  const buses = await open(bus('one', 'a', 'b'), two, bus('three', 'e'));
  const stop = running(buses);
  events.length = 0;
  const renamed = { ...two.devices[1]!, params: { name: 'd', retries: 3 } };
  const kept: string[][] = [];
  await buses.change(
    [
      { ...bus('one', 'a', 'b'), params: { protocol: 'one', port: 1 } },
      { ...two, devices: [structuredClone(two.devices[0]!), renamed] },
      bus('four', 'f'),
    ],
    (ids) => {
      kept.push([...ids]);
      events.push('between');
    },
  );
  const at = events.indexOf('between');
  expect(kept).toEqual([['c']]);
  expect(events.slice(0, at).toSorted()).toEqual([
    ...['close a', 'close b', 'close d', 'close e', 'close one', 'close three'],
    ...['stop a', 'stop b', 'stop d', 'stop e'],
  ]);
  expect(events.slice(at + 1).toSorted()).toEqual([
    ...['open four', 'open one', 'work a', 'work b', 'work d', 'work f'],
  ]);
  expect(names(buses).toSorted()).toEqual(['a', 'b', 'c', 'd', 'f']);
  await stop();
  expect(events).toContain('stop c');
});

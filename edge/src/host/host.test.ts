import { DriverError, type PointRef, type Sample } from '@parkline/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, systemWait } from '../base/clock.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { createHosts, type Hosts } from './hosts.ts';
import type { FieldConnection } from './remote.ts';

const url = new URL('../testing/misbehaving.ts', import.meta.url).href;
const ref = (address: string): PointRef => ({ pointId: 'p', address, scale: 1, kind: 'gauge' });
const never = (): AbortSignal => new AbortController().signal;

let hosts: Hosts;
let faults: ReturnType<typeof rememberingFaults>;
let lines: [facts: object, message: string][];

const log = {
  debug: () => undefined,
  info: (facts: object, message: string) => void lines.push([facts, message]),
  warn: (facts: object, message: string) => void lines.push([facts, message]),
};

beforeEach(() => {
  lines = [];
  faults = rememberingFaults();
  hosts = createHosts(
    new Map([
      ['misbehaving', url],
      ['other', url],
      ['missing', `${url}.gone`],
    ]),
    { clock: systemClock, wait: systemWait, random: () => 0.5, log, faults, hangMs: 1_000 },
  );
});
afterEach(async () => {
  await hosts.close();
});

async function open(): Promise<FieldConnection> {
  const module = await hosts.load('misbehaving');
  return module.openConnection({}, { now: () => 0, dataDir: '/nowhere', log });
}

const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  );

test('a driver in a thread reads, pushes, searches and looks back as if it were here', async () => {
  const bus = await open();
  const device = await bus.device({ unit: 1 });
  expect(device.write).toBeUndefined();
  expect((await device.read([ref('value'), ref('value')], never())).map(({ value }) => value)).toEqual([
    1, 1,
  ]);

  const stop = new AbortController();
  const pushed: Sample[] = [];
  const ended = device.subscribe!([ref('value')], (sample) => pushed.push(sample), stop.signal);
  await expect.poll(() => pushed.map(({ value }) => value)).toEqual([1, 2, 3]);
  stop.abort();
  await ended;

  const units = [];
  for await (const { params } of bus.discover!({ to: 2 }, never())) units.push(params);
  expect(units).toEqual([{ unit: 1 }, { unit: 2 }]);
  expect(lines[0]).toEqual([
    { unit: 1, err: expect.objectContaining({ message: 'just saying' }) as object },
    'found one',
  ]);

  const times = [];
  for await (const page of device.history!(ref('x'), 0, 3_000, never()))
    times.push(...page.map(({ at }) => at));
  expect(times).toEqual([0, 1_000, 2_000]);
});

test('whoever stops reading a stream stops the driver, however much it has', async () => {
  const device = await (await open()).device({});
  const labels = [];
  for await (const { label } of device.browse(never())) {
    labels.push(label);
    if (labels.length === 3) break;
  }
  expect(labels).toEqual(['0', '1', '2']);
  expect(await device.read([ref('value')], never())).toHaveLength(1);
});

test('errors are what the driver threw, code and place and all', async () => {
  const bus = await open();
  await expect(bus.device({ unit: 999 })).rejects.toEqual(
    new DriverError('config', 'unit 999 is out of range', 'bus'),
  );
  const module = await hosts.load('misbehaving');
  const refused = outcome(
    Promise.resolve(module.openConnection({ refuse: true }, { now: () => 0, dataDir: '', log })),
  );
  expect(await refused).toMatchObject({ code: 'config', message: 'port is missing', where: 'bus' });
  const device = await bus.device({});
  expect(await outcome(device.read([ref('refused')], never()))).toMatchObject({
    code: 'refused',
    where: 'unit 1',
  });
  const bug = await outcome(device.read([ref('bug')], never()));
  expect(bug).not.toBeInstanceOf(DriverError);
  expect(bug).toMatchObject({ name: 'TypeError', message: 'x is not a function' });
  const gone = outcome(device.subscribe!([ref('gone')], () => undefined, never()));
  expect(await gone).toMatchObject({ code: 'lost', message: 'last will' });
});

test('an abort reaches the driver', async () => {
  const device = await (await open()).device({});
  const stop = new AbortController();
  const reading = device.read([ref('value'), ref('never-mind')], stop.signal);
  await reading;
  const waiting = outcome(device.subscribe!([ref('value')], () => undefined, stop.signal));
  stop.abort();
  expect(await waiting).toBe('done');
});

test.each([
  ['throw', 'the misbehaving driver crashed: nobody catches this'],
  ['reject', 'the misbehaving driver crashed: nobody awaits this'],
  ['exit', 'the misbehaving driver ended by itself with code 3'],
  ['block', 'the misbehaving driver hung: its event loop stood still for 1 s'],
])(
  'a driver that does "%s" loses what was under way and is back soon',
  async (vice, why) => {
    const device = await (await open()).device({});
    expect(await device.read([ref('value')], never())).toMatchObject([{ value: 1 }]);
    const both = await Promise.all([
      outcome(device.read([ref(vice)], never())),
      outcome(device.subscribe!([ref('value')], () => undefined, never())),
    ]);
    for (const error of both)
      expect(error).toMatchObject({ name: 'DriverError', code: 'lost', message: why });
    // The same driver object works again: its connection and device are opened anew in the next thread.
    await expect.poll(() => outcome(device.read([ref('value')], never())), { timeout: 20_000 }).toBe('done');
    expect(faults.lines).toEqual([
      `fault driver ended, it is started again ${why.replace('the misbehaving driver ', '')}`,
      'over driver runs again',
    ]);
  },
  30_000,
);

test('a driver that leaks runs into its own limit and not into that of the gateway', async () => {
  const device = await (await open()).device({});
  const before = process.memoryUsage.rss();
  expect(await outcome(device.read([ref('leak')], never()))).toMatchObject({ code: 'lost' });
  expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 1024 * 1024);
  await expect.poll(() => outcome(device.read([ref('value')], never())), { timeout: 20_000 }).toBe('done');
}, 40_000);

test('a protocol nobody knows, a package that is not there or is another, each says so', async () => {
  const message = async (protocol: string): Promise<unknown> => {
    const error = await outcome(Promise.resolve().then(() => hosts.load(protocol)));
    return error instanceof Error ? error.message : error;
  };
  expect(await message('knx')).toBe('no driver knx; there are misbehaving, missing, other');
  expect(await message('missing')).toMatch(/^the missing driver crashed: Cannot find module/);
  expect(await message('other')).toBe(
    'the other driver crashed: the driver for other calls itself misbehaving',
  );
});

import type { Connection, Driver, PointRef, Sample } from '@parkline/kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CutLine, startCutLine } from '../../../tests/support/cut-line.ts';
import { type OpcuaBench, startOpcuaBench } from '../../../tests/support/opcua.ts';
import { connectionTo, gauge, never } from './testing.ts';

const PATIENCE = { timeout: 30_000, interval: 50 };
const many = Array.from({ length: 600 }, (_, index) => `Value${index}`);
const counter = gauge('Counter');
let count = 0;
/** The count at which the server looked last. */
let shown = 0;
let bench: OpcuaBench;
let line: CutLine;
let connection: Connection;
let lift: Driver;

beforeAll(async () => {
  bench = await startOpcuaBench({
    devices: ['Lift1', 'Lift2'],
    variables: [
      { name: 'Counter', as: 'UInt32', quantity: 'counter', weight: 1, digits: 0 },
      ...many.map((name) => ({ name, as: 'Float' as const, quantity: name, weight: 1, digits: 3 })),
    ],
    value: (quantity) =>
      quantity === 'counter' ? (shown = count) : Number(quantity.slice(5)) + count / 1_000,
    limits: { read: 50, browse: 10, monitor: 100 },
  });
}, 60_000);
afterAll(() => bench.stop());

beforeEach(async () => {
  count = 0;
  line = await startCutLine(Number(new URL(bench.endpointUrl).port));
  connection = connectionTo(bench, { endpointUrl: `opc.tcp://127.0.0.1:${line.port}` });
  lift = connection.device({ root: 'Lift1' });
});
afterEach(async () => {
  await connection.close();
  await line.close();
});

interface Subscribed {
  readonly samples: Sample[];
  readonly values: () => (number | null)[];
  readonly stop: () => Promise<unknown>;
  /** Settles when the subscription is over. */
  readonly over: Promise<unknown>;
}

function subscribe(driver: Driver, refs: readonly PointRef[] = [counter]): Subscribed {
  const samples: Sample[] = [];
  const end = new AbortController();
  const over = driver.subscribe!(refs, (sample) => samples.push(sample), end.signal).catch(
    (error: unknown) => error,
  );
  const stop = (): Promise<unknown> => {
    end.abort();
    return over;
  };
  return { samples, values: () => samples.map(({ value }) => value), stop, over };
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'answered',
    (error: unknown) => (error as { code: unknown }).code,
  );

/** Counts up one by one, each seen by the subscription before the next comes. */
async function countTo(end: number, { values }: Subscribed): Promise<void> {
  while (count < end) {
    count += 1;
    await expect.poll(() => values().at(-1), PATIENCE).toBe(count);
  }
}

test('six hundred points are told, and each change of each', async () => {
  const told = subscribe(
    lift,
    many.map((name) => gauge(name)),
  );
  await expect.poll(() => told.samples.length, PATIENCE).toBe(600);
  count = 7;
  await expect.poll(() => told.samples.length, PATIENCE).toBe(1_200);
  const last = new Map(told.samples.map(({ pointId, value }) => [pointId, value]));
  expect([...last.values()].sort((a, b) => a! - b!)).toEqual(many.map((_, index) => index + 0.007));
  await told.stop();
});

test('six hundred points go on after a restart of the server, none forgotten, within 30 s', async () => {
  const told = subscribe(
    lift,
    many.map((name) => gauge(name)),
  );
  const latest = (): number[] => {
    const last = new Map(told.samples.map(({ pointId, value }) => [pointId, value]));
    return [...last.values()].map((value) => value ?? NaN).sort((a, b) => a - b);
  };
  await expect.poll(() => told.samples.length, PATIENCE).toBe(600);
  await bench.unplug();
  count = 9;
  const began = performance.now();
  await bench.plug();
  await expect.poll(latest, PATIENCE).toEqual(many.map((_, index) => index + 0.009));
  expect(performance.now() - began).toBeLessThan(30_000);
  await told.stop();
}, 60_000);

test('a change has the time of its source, the same that the device gave it', async () => {
  const told = subscribe(lift);
  await expect.poll(() => told.values(), PATIENCE).toEqual([0]);
  await countTo(5, told);
  await told.stop();
  const notified = bench.told.filter(({ op, values }) => op === 'notify' && values.counter !== undefined);
  const ours = told.samples.slice(1).map(({ at, value }) => [at, value]);
  expect(notified.map(({ t, values }) => [t, values.counter])).toEqual(expect.arrayContaining(ours));
  for (const { at, beganAt } of told.samples) expect(at).toBe(beganAt);
});

test('after a cut of the network the server tells what it kept, in order, none twice, up to the last', async () => {
  const told = subscribe(lift);
  await expect.poll(() => told.values(), PATIENCE).toEqual([0]);
  line.cut();
  await expect(lift.read([counter], never())).rejects.toMatchObject({ code: 'lost' });
  while (count < 5) {
    count += 1;
    await expect.poll(() => shown, PATIENCE).toBe(count);
  }
  line.mend();
  await expect.poll(() => told.values().at(-1), PATIENCE).toBe(5);
  expect(told.values()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(told.samples.map(({ at }) => at)).toEqual(told.samples.map(({ at }) => at).sort((a, b) => a - b));
  await told.stop();
});

test('what the server tells into a dead line is asked for again, also when it came after a sign of life', async () => {
  const told = subscribe(lift);
  await expect.poll(() => told.values(), PATIENCE).toEqual([0]);
  await new Promise((resolve) => setTimeout(resolve, 6_000)); // Nothing changes: the server says that it is there.
  line.freeze();
  while (count < 3) {
    count += 1;
    await expect.poll(() => shown, PATIENCE).toBe(count);
  }
  await expect.poll(async () => codeOf(lift.read([counter], never())), PATIENCE).toBe('lost');
  line.mend();
  await expect.poll(() => told.values().at(-1), PATIENCE).toBe(3);
  expect(told.values()).toEqual([0, 1, 2, 3]);
  await told.stop();
}, 60_000);

test('a pulled cable is noticed, and the subscription goes on when it is back', async () => {
  const told = subscribe(lift);
  await expect.poll(() => told.values(), PATIENCE).toEqual([0]);
  line.freeze();
  await expect(lift.read([counter], never())).rejects.toMatchObject({ code: 'timeout' });
  await expect
    .poll(() => lift.read([counter], never()).catch((error: { code: string }) => error.code), PATIENCE)
    .toBe('lost');
  count = 9;
  line.mend();
  await expect.poll(() => told.values().at(-1), PATIENCE).toBe(9);
  await told.stop();
}, 60_000);

test('a restarted server goes on telling the same subscription, and what it forgot is not passed over', async () => {
  const still = gauge('Value5');
  const told = subscribe(lift, [counter, still]);
  const of = ({ pointId }: PointRef) =>
    told.samples.filter((sample) => sample.pointId === pointId).map(({ value, why }) => value ?? why);
  await expect.poll(() => [of(counter), of(still)], PATIENCE).toEqual([[0], [5]]);
  await bench.unplug();
  count = 3;
  await bench.plug();
  const began = performance.now();
  await expect.poll(() => of(counter), PATIENCE).toEqual([0, 'changes were lost', 3]);
  expect(performance.now() - began).toBeLessThan(30_000);
  await expect.poll(() => of(still), PATIENCE).toEqual([5, 'changes were lost', 5.003]);
  count = 4;
  await expect.poll(() => of(counter).at(-1), PATIENCE).toBe(4);
  await told.stop();
}, 60_000);

test('a device that falls silent, or has no value, tells again when it can', async () => {
  const told = subscribe(lift);
  const other = subscribe(connection.device({ root: 'Lift2' }));
  await expect.poll(() => [told.values(), other.values()], PATIENCE).toEqual([[0], [0]]);
  bench.fault({ bus: 'line', device: 'Lift1', fault: { kind: 'silence' } });
  await countTo(1, other); // Its neighbour on the same server goes on.
  expect(told.values()).toEqual([0]);
  bench.clear();
  await expect.poll(() => told.values(), PATIENCE).toEqual([0, 1]);
  count = NaN;
  await expect.poll(() => told.samples.at(-1)?.why, PATIENCE).toBe('BadSensorFailure');
  await told.stop();
  await other.stop();
});

test('what is read is what the device says it told', async () => {
  count = 42;
  const before = bench.told.length;
  const [sample] = await lift.read([counter], never());
  const entry = bench.told.slice(before).find(({ op }) => op === 'read');
  expect(entry).toMatchObject({ device: 'Lift1', values: { counter: 42 }, outcome: 'ok' });
  expect([sample?.value, sample?.at]).toEqual([42, entry?.t]);
});

test('an answer that takes its time comes late, not wrong', async () => {
  bench.fault({
    bus: 'line',
    device: 'Lift1',
    quantity: 'counter',
    times: 1,
    fault: { kind: 'delay', ms: 300 },
  });
  const began = performance.now();
  expect((await lift.read([counter], never()))[0]?.value).toBe(0);
  expect(performance.now() - began).toBeGreaterThan(290);
});

test('devices share a session; the end of one is none for the other', async () => {
  const other = connection.device({ root: 'Lift2' });
  const [one, two] = [subscribe(lift), subscribe(other)];
  await expect.poll(() => [one.values(), two.values()], PATIENCE).toEqual([[0], [0]]);
  await lift.close();
  expect(await one.over).toMatchObject({ code: 'lost', message: 'the device was closed' });
  await countTo(2, two);
  expect(one.values()).toEqual([0]);
  await two.stop();
});

test('what cannot be watched comes back bad with the reason, and its neighbours are told', async () => {
  const told = subscribe(lift, [gauge('Nowhere'), gauge('nsu=urn:other;i=1'), gauge('ns=2'), counter]);
  await expect.poll(() => told.samples.length, PATIENCE).toBe(4);
  expect(new Map(told.samples.map(({ pointId, quality, why }) => [pointId, why ?? quality]))).toEqual(
    new Map([
      ['Nowhere', 'BadNodeIdUnknown'],
      ['nsu=urn:other;i=1', expect.stringContaining('no such namespace')],
      ['ns=2', expect.stringContaining('no node id')],
      ['Counter', 'good'],
    ]),
  );
  await told.stop();
});

test('browsing shows the variables below the root and only those, by addresses that can be read', async () => {
  const found = [];
  for await (const one of lift.browse(never())) found.push(one);
  expect(found).toHaveLength(601);
  expect(found[0]).toMatchObject({ address: 'Counter', label: 'Counter', writable: false });
  const nowhere = connection.device({ root: 'Nowhere' }).browse(never());
  await expect(nowhere[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'refused' });
});

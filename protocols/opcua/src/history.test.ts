import type { Connection, Driver, PointRef, Sample } from '@parkline/kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type OpcuaBench, startOpcuaBench } from '../../../tests/support/opcua.ts';
import { allOf, connectionTo, gauge, never } from './testing.ts';

const SECOND = 1_000;
/** Minutes and seconds of the hour; nothing in the second minute. */
const valueAt = (t: number): number => (Math.floor(t / 60_000) % 60 === 2 ? NaN : (t / SECOND) % 3_600);
let bench: OpcuaBench;
let connection: Connection;
let lift: Driver;

beforeAll(async () => {
  bench = await startOpcuaBench({
    devices: ['Lift1'],
    variables: [
      { name: 'Power', as: 'Float', quantity: 'power', weight: 1, digits: 3, historyMs: SECOND },
      { name: 'Energy', as: 'UInt32', quantity: 'energy', weight: 1, digits: 0, historyMs: 60_000 },
      { name: 'Plain', as: 'Int16', quantity: 'plain', weight: 1, digits: 0 },
    ],
    value: (quantity, t) => (quantity === 'energy' ? Math.floor(t / 60_000) : valueAt(t)),
  });
}, 60_000);
afterAll(() => bench.stop());
beforeEach(() => {
  connection = connectionTo(bench);
  lift = connection.device({ root: 'Lift1' });
});
afterEach(() => connection.close());

const kept = (address: string, history = 'self', over: Partial<PointRef> = {}): PointRef => ({
  ...gauge(address),
  ...over,
  history,
});

const pagesOf = (ref: PointRef, from: number, to: number): Promise<(readonly Sample[])[]> =>
  allOf(lift.history!(ref, from, to, never()));
/** A full hour that is over. */
const hour = (): number => (Math.floor(Date.now() / 3_600_000) - 1) * 3_600_000;

test('all that was kept comes in pages, in order, with the times of the device', async () => {
  const from = hour();
  const pages = await pagesOf(kept('Power'), from, from + 3_600_000);
  expect(pages.map(({ length }) => length)).toEqual([1_000, 1_000, 1_000, 600]);
  const samples = pages.flat();
  expect(samples.map(({ at }) => at)).toEqual(Array.from({ length: 3_600 }, (_, n) => from + n * SECOND));
  expect(samples[119]).toEqual({
    ...{
      pointId: 'Power',
      at: from + 119 * SECOND,
      beganAt: from + 119 * SECOND,
      value: 119,
      quality: 'good',
    },
  });
  expect(samples[120]).toMatchObject({ value: null, quality: 'bad', why: 'BadSensorFailure' });
  expect(samples.filter(({ quality }) => quality === 'bad')).toHaveLength(60);
});

test('the range holds its beginning and not its end', async () => {
  const from = hour() + 10 * SECOND;
  const [page] = await pagesOf(kept('Power'), from, from + 3 * SECOND);
  expect(page?.map(({ at }) => at - from)).toEqual([0, 1_000, 2_000]);
  expect(await pagesOf(kept('Power'), from + 1, from + 999)).toEqual([]);
});

test('a register is whole counts, as in reads, and history may stand at another node', async () => {
  const from = hour();
  const ref = kept('Plain', 'Energy', { kind: 'register', scale: 10 });
  const [page] = await pagesOf(ref, from, from + 120_000);
  expect(page?.map(({ value }) => value)).toEqual([from / 6_000, from / 6_000 + 10]);
  const whole = kept('Plain', 'nsu=urn:parkline:sim;s=Lift1.Energy');
  expect((await pagesOf(whole, from, from + 120_000)).flat()).toHaveLength(2);
});

test.each([
  ['a variable that keeps none', kept('Plain'), 'config', 'no history of ns=\\d;s=Lift1.Plain'],
  ['a node that is not there', kept('Nowhere'), 'config', 'no such variable'],
  ['an address that is none', kept('Power', 'ns=2'), 'config', 'no node id'],
  ['a point without a declared one', gauge('Power'), 'config', "set history to 'self'"],
] as const)('history of %s is refused', async (_what, ref, code, message) => {
  await expect(pagesOf(ref, hour(), hour() + SECOND)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
});

test('who stops early leaves the server holding nothing', async () => {
  const from = hour();
  for (let round = 0; round < 30; round += 1) {
    for await (const page of lift.history!(kept('Power'), from, from + 3_600_000, never())) {
      expect(page).toHaveLength(1_000);
      break;
    }
  }
  expect((await pagesOf(kept('Power'), from, from + 3_600_000)).flat()).toHaveLength(3_600);
});

test('a signal ends it, and a link that is gone is lost', async () => {
  await expect(
    lift.history!(kept('Power'), 0, 1, AbortSignal.abort())[Symbol.asyncIterator]().next(),
  ).rejects.toMatchObject({ code: 'aborted' });
  await connection.close();
  await expect(pagesOf(kept('Power'), 0, 1)).rejects.toMatchObject({ code: 'lost' });
});

import type { Connection, Found, FoundDevice } from '@parkline/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BacnetBench, benchKey, startBacnetBench } from '../../../tests/support/bacnet.ts';
import { connectionTo, gauge, never } from './testing.ts';

let bench: BacnetBench;
let connection: Connection;
beforeEach(async () => {
  const trends = [{ instance: 1, of: 'AI-1', everyMs: 60_000, keep: 10 }];
  bench = await startBacnetBench(
    [5, 1_200, 250_000, 4_000_000].map((instance) => ({
      instance,
      objects: { 'AI-1': 20.5, 'AO-1': 1, 'AV-1': 2, 'BV-1': 1 },
      access: { 'AV-1': 'writable' as const },
      traits: { trends },
    })),
  );
  connection = connectionTo(bench.place, { timeoutMs: 300 });
});
afterEach(async () => {
  await connection.close();
  await bench.stop();
});

async function collect<T>(found: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of found) all.push(one);
  return all;
}
const instancesOf = (found: readonly FoundDevice[]) =>
  found.map(({ params }) => Number(params.device)).toSorted();

test('every device that answers is told with its maker, model and address', async () => {
  const found = await collect(connection.discover!({}, never()));
  expect(instancesOf(found)).toEqual([1_200, 250_000, 4_000_000, 5]);
  const { label, facts } = found.find(({ params }) => params.device === 5)!;
  expect([label, facts]).toEqual([
    benchKey(5),
    {
      ...{ vendor: 'Parkline Simulator', model: 'Bench', firmware: '1.0', 'vendor id': '0' },
      ...{ 'max APDU': '1476 octets', address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string },
    },
  ]);
});

test('a range of instances, and a device that is read meanwhile', async () => {
  const driver = connection.device({ device: 1_200 });
  const searching = collect(connection.discover!({ from: 1_000, to: 300_000 }, never()));
  for (let n = 0; n < 20; n += 1)
    expect((await driver.read([gauge('analog-input,1')], never()))[0]?.value).toBe(20.5);
  expect(instancesOf(await searching)).toEqual([1_200, 250_000]);
});

test('a device that says who it is and nothing else is told of all the same', async () => {
  bench.fault({ device: benchKey(5), fault: { kind: 'silence' } });
  const [only] = await collect(connection.discover!({ from: 5, to: 5 }, never()));
  expect(only).toMatchObject({ params: { device: 5 }, label: 'device 5' });
  expect(only!.facts.trouble).toContain('does not answer');
});

test('a search that is given up ends at once', async () => {
  const stop = new AbortController();
  const searching = collect(connection.discover!({}, stop.signal));
  stop.abort();
  await expect(searching).rejects.toMatchObject({ code: 'aborted' });
});

test('browsing tells value, unit, and what can be commanded', async () => {
  const found = await collect<Found>(connection.device({ device: 5 }).browse(never()));
  expect(found.map(({ address, writable, facts }) => [address, writable, facts])).toEqual([
    ['analog-input,1', false, { value: '20.5', unit: 'no-units' }],
    ['analog-output,1', true, { value: '1', unit: 'no-units', commandable: 'yes' }],
    ['analog-value,1', true, { value: '2', unit: 'no-units', commandable: 'no' }],
    ['binary-value,1', true, { value: '1', commandable: 'yes' }],
    ['trend-log,1', false, { kind: 'history of a point' }],
  ]);
});

import type { Connection, PointRef, Sample } from '@parkline/kit';
import { afterEach, expect, test } from 'vitest';
import { type BacnetBenchDevice, type BacnetBench, startBacnetBench } from '../../../tests/support/bacnet.ts';
import { createUdpRelay } from '../../../tests/support/udp-relay.ts';
import { fixedClock, zoneClock } from './device-clock.ts';
import { pageIn } from './range-service.ts';
import { connectionTo, gauge, never } from './testing.ts';

let bench: BacnetBench;
let connection: Connection;
afterEach(async () => {
  await connection.close();
  await bench.stop();
});

const MINUTE = 60_000;
const trends = [{ instance: 5, of: 'AI-1', everyMs: MINUTE, keep: 2_000 }];
const objects = { 'AI-1': 20.5, 'AO-1': 10 };
async function start(traits: BacnetBenchDevice['traits'] = {}, params: object = {}) {
  bench = await startBacnetBench([{ instance: 5, objects, traits: { trends, ...traits } }]);
  connection = connectionTo(bench.place, { timeoutMs: 1_000 });
  return connection.device({ device: 5, ...params });
}
const point: PointRef = { ...gauge('analog-input,1'), history: 'trend-log,5' };
async function collect(pages: AsyncIterable<readonly Sample[]>): Promise<{ all: Sample[]; pages: number }> {
  const all: Sample[] = [];
  let count = 0;
  for await (const page of pages) {
    all.push(...page);
    count += 1;
  }
  return { all, pages: count };
}
/** The last whole minute, so that the span does not move under the test. */
const lastMinute = Math.floor(Date.now() / MINUTE) * MINUTE;
const minutes = (from: number, to: number) =>
  Array.from({ length: (to - from) / MINUTE }, (_, n) => from + n * MINUTE);

test.each([
  ['short answers', { maxApdu: 206 }],
  ['long answers', {}],
  ['a clock 8 hours ahead', { utcOffsetMin: 480 }],
  ['a clock 3:30 behind', { utcOffsetMin: -210 }],
] as const)('every record of a span, oldest first, in pages: %s', async (_what, traits) => {
  const driver = await start(traits);
  const [from, to] = [lastMinute - 300 * MINUTE, lastMinute - 10 * MINUTE];
  const { all, pages } = await collect(driver.history!(point, from, to, never()));
  expect(all.map(({ at }) => at)).toEqual(minutes(from, to));
  expect(all[0]).toEqual({ pointId: point.pointId, at: from, beganAt: from, value: 20.5, quality: 'good' });
  expect(pages).toBeGreaterThan(3);
});

test('a span older than the log gives what there is, one in the future nothing', async () => {
  const driver = await start({ trends: [{ ...trends[0]!, keep: 50 }] });
  const { all } = await collect(driver.history!(point, 0, lastMinute, never()));
  expect(all.length).toBeGreaterThanOrEqual(48);
  expect(all.every(({ value }) => value === 20.5)).toBe(true);
  const later = lastMinute + 60 * MINUTE;
  expect((await collect(driver.history!(point, later, later + MINUTE, never()))).all).toEqual([]);
});

test('a commanded value is in the log from then on', async () => {
  const device = await start({ trends: [{ instance: 5, of: 'AO-1', everyMs: 100, keep: 600 }] });
  const ref = { ...gauge('analog-output,1'), history: 'trend-log,5' };
  const began = Date.now();
  await device.write!({ ref, value: 55, priority: 8 }, never());
  await new Promise((resolve) => setTimeout(resolve, 250));
  const { all } = await collect(device.history!(ref, began - 2_000, Date.now(), never()));
  expect([all[0]?.value, all.at(-1)?.value]).toEqual([10, 55]);
});

test('a log that is not there, and one that nobody named, are said', async () => {
  const driver = await start();
  const first = (ref: PointRef) => collect(driver.history!(ref, 0, 1, never()));
  await expect(first({ ...point, history: 'trend-log,9' })).rejects.toMatchObject({ code: 'refused' });
  await expect(first({ ...point, history: 'analog-input,1' })).rejects.toMatchObject({ code: 'config' });
  await expect(first(gauge('analog-input,1'))).rejects.toMatchObject({ code: 'config' });
});

test('records of every kind: values, failures and what the log notes of itself', () => {
  const stamp = (second: string) => `0e a4 7e 0b 16 07 b4 0a 00 ${second} 00 0f`;
  const record = (second: string, datum: string, flags = '') => `${stamp(second)} 1e ${datum} 1f ${flags}`;
  const records = [
    record('00', '09 02'.replace('09 02', '0a 05 80')),
    record('01', '2c 41 ac 00 00', '2a 04 00'),
    record('02', '9c 00 00 00 0a'),
    record('03', '39 02'),
    record('04', '49 07'),
    record('05', '59 ff'),
    record('06', '19 01'),
    record('07', '78'),
    record('08', '8e 91 02 91 1b 8f'),
    record('09', 'ae 44 41 ac 00 00 af'),
    record('0a', '6a 04 a0'),
  ];
  const body = records.join(' ').replaceAll(' ', '');
  const ack = Buffer.from(`0c05000005 1983 3a05c0 490b 5e${body}5f 6903`.replaceAll(' ', ''), 'hex');
  const page = pageIn(ack, { type: 20, instance: 5 });
  expect(page).toMatchObject({ first: 3, isLast: true });
  expect(
    page.records.map(({ datum }) => (typeof datum === 'object' && 'value' in datum ? datum.value : datum)),
  ).toEqual([
    'log',
    21.5,
    'log',
    2,
    7,
    -1,
    true,
    null,
    { failure: { errorClass: 2, code: 27 } },
    21.5,
    [true, false, true, false],
  ]);
  expect(page.records[1]).toMatchObject({
    local: Date.UTC(2026, 10, 22, 10, 0, 1),
    statusFlags: [false, false, false, false],
  });
  expect(() => pageIn(ack, { type: 20, instance: 6 })).toThrow('another log');
  expect(() => pageIn(ack.subarray(0, -4), { type: 20, instance: 5 })).toThrow();
});

test('a clock of a zone knows summer time, before and after it', () => {
  const berlin = zoneClock('Europe/Berlin');
  for (const utc of [
    Date.UTC(2026, 0, 5, 12),
    Date.UTC(2026, 6, 5, 12),
    Date.UTC(2026, 2, 29, 0, 59),
    Date.UTC(2026, 2, 29, 1),
  ])
    expect(berlin.toUtc(berlin.toLocal(utc))).toBe(utc);
  expect(berlin.toLocal(Date.UTC(2026, 0, 5, 12))).toBe(Date.UTC(2026, 0, 5, 13));
  // 02:30 comes twice on 25 October: the earlier one is meant.
  expect(berlin.toUtc(Date.UTC(2026, 9, 25, 2, 30))).toBe(Date.UTC(2026, 9, 25, 0, 30));
  // The later one, where a record before it was later than the earlier.
  expect(berlin.toUtc(Date.UTC(2026, 9, 25, 2, 30), Date.UTC(2026, 9, 25, 0, 59))).toBe(
    Date.UTC(2026, 9, 25, 1, 30),
  );
  expect(fixedClock(-5_400_000).toUtc(1_000)).toBe(5_401_000);
});

test('the configured zone goes before what the device says of itself', async () => {
  const driver = await start({ utcOffsetMin: 0 }, { timeZone: 'Asia/Shanghai' });
  const from = lastMinute - 30 * MINUTE;
  const ahead = 8 * 60 * MINUTE;
  const { all } = await collect(driver.history!(point, from - ahead - 60 * MINUTE, from - ahead, never()));
  expect(all).toHaveLength(60);
});

test('a log that gives the same records for ever is no history', async () => {
  const driver = await start({ maxApdu: 206 });
  const relay = await createUdpRelay(bench.place);
  const other = connectionTo(relay.place, { timeoutMs: 1_000 });
  let kept: Buffer | undefined;
  relay.bend = (datagram) => {
    if (datagram[6] !== 0x30 || datagram[8] !== 26) return datagram;
    kept ??= datagram;
    const again = Buffer.from(kept);
    again[7] = datagram[7]!; // The number of the request.
    return again;
  };
  const reading = collect(other.device({ device: 5 }).history!(point, 0, lastMinute, never()));
  await expect(reading).rejects.toMatchObject({ code: 'garbage' });
  await driver.close();
  await other.close();
  await relay.stop();
});

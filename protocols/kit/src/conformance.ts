import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Driver, PointRef } from './driver.ts';

/** A driver under test in front of a device whose life the test can change. */
export interface ConformanceBench {
  readonly driver: Driver;
  /** Points that answer, and the value each shows for as long as the bench stands. */
  readonly good: readonly { readonly ref: PointRef; readonly value: number }[];
  /** A point the device refuses. */
  readonly refused: PointRef;
  /** The device stops answering, its link stays. */
  silence(): Promise<void>;
  /** The device answers again after {@link silence}. */
  speak(): Promise<void>;
  /** The device leaves the network and comes back to it. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
  /** Longest time in ms the driver may take to notice that a device keeps silent, and to find it again. */
  readonly patienceMs: number;
  tearDown(): Promise<void>;
}

/** What every driver owes the gateway, run against a device. Call it at the top of a test file of the driver. */
export function describeConformance(name: string, setUp: () => Promise<ConformanceBench>): void {
  describe(`${name} as a driver`, () => {
    let bench: ConformanceBench;
    beforeEach(async () => {
      bench = await setUp();
    });
    afterEach(async () => {
      await bench.driver.close();
      await bench.tearDown();
    });
    describe('reads', () => readingTests(() => bench));
    describe('in trouble', () => troubleTests(() => bench));
    describe('ends', () => endingTests(() => bench));
  });
}

const never = (): AbortSignal => new AbortController().signal;
const refsOf = ({ good }: ConformanceBench): PointRef[] => good.map(({ ref }) => ref);

function readingTests(bench: () => ConformanceBench): void {
  test('one sample for each point, in the order asked, with times that make sense', async () => {
    const { driver, good } = bench();
    await driver.connect(never());
    const before = Date.now();
    const samples = await driver.read(refsOf(bench()).reverse(), never());
    expect(samples.map(({ pointId, value, quality }) => [pointId, value, quality])).toEqual(
      good.map(({ ref, value }) => [ref.pointId, value, 'good']).reverse(),
    );
    for (const { at, beganAt } of samples) {
      expect(beganAt).toBeGreaterThanOrEqual(before);
      expect(at).toBeGreaterThanOrEqual(beganAt);
    }
  });

  test('nothing when nothing is asked', async () => {
    await expect(bench().driver.read([], never())).resolves.toEqual([]);
  });

  test('without connect', async () => {
    await expect(bench().driver.read(refsOf(bench()), never())).resolves.toHaveLength(bench().good.length);
  });

  test('a refused point comes back bad with the reason and does not fail its neighbours', async () => {
    const { driver, refused, good } = bench();
    for (let round = 0; round < 2; round += 1) {
      const samples = await driver.read([refused, ...refsOf(bench())], never());
      expect(samples[0]).toMatchObject({ pointId: refused.pointId, value: null, quality: 'bad' });
      expect(samples[0]?.why).toBeTruthy();
      expect(samples.slice(1).map(({ value }) => value)).toEqual(good.map(({ value }) => value));
    }
  });

  test('several readers at once get their own points', async () => {
    const { driver, good } = bench();
    const all = await Promise.all(good.map(({ ref }) => driver.read([ref], never())));
    expect(all.map(([sample]) => [sample?.pointId, sample?.value])).toEqual(
      good.map(({ ref, value }) => [ref.pointId, value]),
    );
  });

  test('browse ends and names addresses', async () => {
    for await (const found of bench().driver.browse(never())) expect(found.address).toBeTruthy();
  });

  test('where it can push, a subscription tells what is there and ends with its signal', async () => {
    const { driver, good } = bench();
    if (!driver.subscribe) return; // Absent where the protocol cannot push; the gateway then polls.
    const told = new Map<string, number | null>();
    const stop = new AbortController();
    const running = driver.subscribe(
      refsOf(bench()),
      ({ pointId, value }) => told.set(pointId, value),
      stop.signal,
    );
    await expect.poll(() => told.size, { timeout: bench().patienceMs }).toBe(good.length);
    stop.abort();
    await running;
    expect([...told]).toEqual(expect.arrayContaining(good.map(({ ref, value }) => [ref.pointId, value])));
  });
}

function troubleTests(bench: () => ConformanceBench): void {
  test('a silent device is a time-out within patience, and is found again when it speaks', async () => {
    const { driver, patienceMs, good } = bench();
    await driver.connect(never());
    await bench().silence();
    const began = Date.now();
    await expect(driver.read(refsOf(bench()), never())).rejects.toMatchObject({ code: 'timeout' });
    expect(Date.now() - began).toBeLessThan(patienceMs);
    await bench().speak();
    await expect
      .poll(() => valuesNow(bench()), { timeout: patienceMs })
      .toEqual(good.map(({ value }) => value));
  });

  test('a device off the network is lost, and is found again when it is back', async () => {
    const { driver, patienceMs, good } = bench();
    await driver.read(refsOf(bench()), never());
    await bench().unplug();
    await expect(driver.read(refsOf(bench()), never())).rejects.toMatchObject({ code: 'lost' });
    await bench().plug();
    await expect
      .poll(() => valuesNow(bench()), { timeout: patienceMs })
      .toEqual(good.map(({ value }) => value));
  });

  test('an abort ends a waiting read at once', async () => {
    await bench().driver.connect(never());
    await bench().silence();
    const stop = new AbortController();
    const reading = bench().driver.read(refsOf(bench()), stop.signal);
    stop.abort();
    // Not 'timeout': whatever the machine is doing, the abort is faster than the device's patience.
    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a signal that is already aborted reads and connects nothing', async () => {
    const { driver } = bench();
    await expect(driver.read(refsOf(bench()), AbortSignal.abort())).rejects.toMatchObject({
      code: 'aborted',
    });
  });
}

function endingTests(bench: () => ConformanceBench): void {
  test('close is safe before connect and when called twice', async () => {
    await bench().driver.close();
    await bench().driver.close();
  });

  test('after close a read is refused, and connect opens it again', async () => {
    const { driver, good } = bench();
    await driver.connect(never());
    await driver.close();
    await expect(driver.read(refsOf(bench()), never())).rejects.toMatchObject({ code: 'lost' });
    await driver.connect(never());
    expect(await valuesNow(bench())).toEqual(good.map(({ value }) => value));
  });
}

/** Values of the good points, or what went wrong: something to poll. */
async function valuesNow(bench: ConformanceBench): Promise<unknown> {
  try {
    return (await bench.driver.read(refsOf(bench), never())).map(({ value }) => value);
  } catch (error) {
    return error;
  }
}

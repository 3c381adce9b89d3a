import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { createStamper } from './stamp.ts';

const start = Date.UTC(2026, 10, 22, 12);
const MINUTE = 60_000;

function given(startMs = start) {
  const time = createVirtualTime(startMs);
  const stamper = createStamper(time.clock);
  return { time, stampNow: (point = 'p') => stamper.stamp(point, time.clock.now()), stamper };
}

describe('the time of a sample', () => {
  test('events of one millisecond get the next free ones, per point', () => {
    const { stamper } = given();
    expect([1, 2, 3].map(() => stamper.stamp('p', start).at - start)).toEqual([0, 1, 2]);
    expect(stamper.stamp('q', start).at).toBe(start);
    expect(stamper.stamp('p', start + 1).at).toBe(start + 3);
    expect(stamper.stamp('p', start + 10).at).toBe(start + 10);
  });

  test('a small step back is held, a large one followed and flagged', () => {
    const { stamper } = given();
    stamper.stamp('p', start);
    expect(stamper.stamp('p', start - 1_500)).toEqual({ at: start + 1, suspect: false });
    expect(stamper.stamp('p', start - 3_600_000)).toEqual({ at: start - 3_600_000, suspect: true });
  });

  test('what is told late keeps its time and moves nothing, but makes room for the last one', () => {
    const { stamper } = given();
    stamper.stamp('p', start);
    expect(stamper.stampLate('p', start - MINUTE)).toEqual({ at: start - MINUTE, suspect: false });
    expect(stamper.stampLate('p', start).at).toBe(start - 1);
    expect(stamper.stamp('p', start + 1).at).toBe(start + 1);
  });

  test('late ones of the same moment do not fall on each other', () => {
    const { stamper } = given();
    stamper.stamp('p', start);
    const at = start - MINUTE;
    const late = [at, at, at, at + 1, at + 20, at - 20].map((one) => stamper.stampLate('p', one).at - at);
    expect(late).toEqual([0, 1, 2, 3, 20, -20]);
    expect(stamper.stampLate('q', at).at).toBe(at);
  });

  test('never repeats within a point while time runs forward', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 200 }), (steps) => {
        const { stamper } = given();
        let at = start;
        const stamps = steps.map((step) => stamper.stamp('p', (at += step)).at);
        expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
        expect(new Set(stamps).size).toBe(stamps.length);
      }),
    );
  });
});

describe('a clock that cannot be trusted', () => {
  test('a steady clock is trusted, a slow drift too', async () => {
    const { time, stampNow } = given();
    for (let i = 0; i < 100; i += 1) {
      await time.advance(MINUTE);
      time.jump(100);
      expect(stampNow().suspect).toBe(false);
    }
  });

  test.each([
    ['an hour back', -3_600_000],
    ['an hour forward', 3_600_000],
  ])('%s: flagged for a quarter of an hour, then believed', async (_why, by) => {
    const { time, stampNow } = given();
    time.jump(by);
    expect(stampNow().suspect).toBe(true);
    await time.advance(14 * MINUTE);
    expect(stampNow().suspect).toBe(true);
    await time.advance(2 * MINUTE);
    expect(stampNow().suspect).toBe(false);
  });

  test('one that starts before what is on the disk is flagged until it is set, or for a quarter of an hour', async () => {
    const [noon, hour] = [Date.UTC(2026, 10, 22, 12), 3_600_000];
    const time = createVirtualTime(noon - hour);
    const stamper = createStamper(time.clock, noon);
    const isSuspect = () => stamper.stamp('p', time.clock.now()).suspect;
    expect(isSuspect()).toBe(true);
    await time.advance(14 * MINUTE);
    expect(isSuspect()).toBe(true);
    time.jump(hour);
    expect(isSuspect()).toBe(false);

    const never = createVirtualTime(noon - hour);
    const other = createStamper(never.clock, noon);
    other.stamp('p', never.clock.now());
    await never.advance(16 * MINUTE);
    expect(other.stamp('p', never.clock.now()).suspect).toBe(false);
    expect(createStamper(createVirtualTime(noon).clock, noon).stamp('p', noon).suspect).toBe(false);
  });

  test('there and back again: trusted at once', async () => {
    const { time, stampNow } = given();
    time.jump(3_600_000);
    expect(stampNow().suspect).toBe(true);
    time.jump(-3_600_000);
    expect(stampNow('q').suspect).toBe(false);
  });

  test('a second jump starts the wait anew', async () => {
    const { time, stampNow } = given();
    time.jump(3_600_000);
    stampNow();
    await time.advance(14 * MINUTE);
    time.jump(3_600_000);
    stampNow();
    await time.advance(14 * MINUTE);
    expect(stampNow().suspect).toBe(true);
  });

  test.each([
    ['1970', 0],
    ['2100', Date.UTC(2100, 0, 1)],
  ])('the year %s is never believed', async (_year, at) => {
    const { time, stampNow } = given(at);
    await time.advance(60 * MINUTE);
    expect(stampNow().suspect).toBe(true);
  });
});

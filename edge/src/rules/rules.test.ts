import { join } from 'node:path';
import type { Command, GatewayEvent } from '@parkline/contract';
import { expect, test } from 'vitest';
import { OutboxError } from '../pipeline/outbox.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { scratch } from '../testing/scratch.ts';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { createLocalRules } from './rules.ts';
import type { AlarmRule, Schedule } from './schema.ts';
import { openRuleStore, peekRaised } from './store.ts';

const gatewayId = '018f0000-0000-7000-8000-000000000001';
const point = '018f0000-0000-7000-8000-000000000002';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Given {
  readonly alarms?: readonly AlarmRule[];
  readonly schedules?: readonly Schedule[];
  readonly start?: string;
  readonly holdS?: number;
}

/** A gateway's rules on a clock of their own. `home` outlives them, as a disk does a process. */
function given(
  home: string,
  { alarms = [], schedules = [], start = '2026-11-22T00:00:00Z', holdS = 3_600 }: Given,
) {
  const time = createVirtualTime(Date.parse(start));
  const told: GatewayEvent[] = [];
  const written: { at: string; value: number | null; holdS: number | undefined }[] = [];
  const disk = { isFull: false };
  const stop = new AbortController();
  const engine = createLocalRules({
    ...{ rules: { alarms: [...alarms], schedules: [...schedules] }, gatewayId, timezone: 'Europe/Berlin' },
    store: openRuleStore(join(home, 'rules.sqlite'), () => undefined),
    events: {
      add(event) {
        if (disk.isFull) throw new OutboxError('disk', 'full');
        told.push(event);
      },
    },
    command: ({ value, holdS: hold }: Command) =>
      written.push({ at: new Date(time.clock.now()).toISOString(), value, holdS: hold }),
    holdLimitS: () => holdS,
    ...{ clock: time.clock, wait: time.wait, faults: rememberingFaults(), maxSleepMs: 1_800_000 },
  });
  const done = engine.run(stop.signal);
  const see = (value: number | null): void => {
    const at = time.clock.now();
    engine.see([{ pointId: point, at, beganAt: at, value, quality: value === null ? 'bad' : 'good' }]);
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  return { time, told, written, disk, see, end };
}

const warm: AlarmRule = {
  ...{ key: 'too-warm', point, when: 'above', limit: 30, hysteresis: 1, forS: 5, text: 'too warm' },
};
const morning: Schedule = { key: 'morning', cron: '0 7 * * *', point, value: 21 };
const evening: Schedule = { key: 'evening', cron: '0 19 * * *', point, value: 17 };

test('an alarm is told within two seconds of its time, and when it is over', async () => {
  using home = scratch();
  const { time, told, see, end } = given(home.path, { alarms: [warm] });
  see(31);
  await time.advance(7_000);
  expect(told).toMatchObject([
    { type: 'alarm', rule: 'too-warm', pointId: point, state: 'raised', value: 31 },
  ]);
  expect(told[0]!.at - Date.parse('2026-11-22T00:00:05Z')).toBeLessThanOrEqual(2_000);
  expect(peekRaised(join(home.path, 'rules.sqlite'))).toMatchObject([
    { key: 'too-warm', value: 31, text: 'too warm' },
  ]);
  see(20);
  expect(told[1]).toMatchObject({ state: 'cleared', value: 20 });
  expect(peekRaised(join(home.path, 'rules.sqlite'))).toEqual([]);
  await end();
});

test('a raised alarm outlives the process: it is neither told twice nor forgotten', async () => {
  using home = scratch();
  const first = given(home.path, { alarms: [warm] });
  first.see(31);
  await first.time.advance(6_000);
  await first.end();
  const second = given(home.path, { alarms: [warm] });
  second.see(31);
  await second.time.advance(60_000);
  expect(second.told).toEqual([]);
  second.see(10);
  expect(second.told).toMatchObject([{ state: 'cleared' }]);
  await second.end();
});

test('what the outbox did not take is told when it does, also after a restart, once', async () => {
  using home = scratch();
  const first = given(home.path, { alarms: [{ ...warm, forS: 0 }] });
  first.disk.isFull = true;
  first.see(31);
  first.see(10);
  await first.end();
  const second = given(home.path, { alarms: [{ ...warm, forS: 0 }] });
  await second.time.advance(1_000);
  await second.time.advance(120_000);
  expect(second.told.map((event) => (event.type === 'alarm' ? event.state : ''))).toEqual([
    'raised',
    'cleared',
  ]);
  await second.end();
});

test('thirty days alone: every morning and evening at the local time, over the change of the clock', async () => {
  using home = scratch();
  const { time, written, end } = given(home.path, {
    ...{ schedules: [morning, evening], start: '2026-10-09T22:00:30Z' },
  });
  await time.advance(30 * DAY);
  await end();
  const [, ...own] = written; // The first makes up for the evening before the start.
  expect(own).toHaveLength(60);
  const local = own.map(({ at, value }) => {
    const parts = {
      timeZone: 'Europe/Berlin',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    } as const;
    return `${new Date(at).toLocaleTimeString('en-GB', parts)} ${value}`;
  });
  expect(new Set(local)).toEqual(new Set(['07:00:00 21', '19:00:00 17']));
  expect(own.at(0)!.at).toBe('2026-10-10T05:00:00.000Z');
  expect(own.at(-1)!.at).toBe('2026-11-08T18:00:00.000Z');
}, 60_000);

test('a gateway that was off writes what should stand now, and no more', async () => {
  using home = scratch();
  const first = given(home.path, { schedules: [morning, evening], start: '2026-11-22T05:00:00Z' });
  await first.time.advance(2 * HOUR); // 06:00 UTC is 7:00 there.
  await first.end();
  const second = given(home.path, { schedules: [morning, evening], start: '2026-11-23T10:00:00Z' });
  await second.time.advance(60_000);
  expect(second.written).toEqual([{ at: '2026-11-23T10:00:00.000Z', value: 21, holdS: expect.any(Number) }]);
  await second.end();
  const third = given(home.path, { schedules: [morning, evening], start: '2026-11-23T10:30:00Z' });
  await third.time.advance(60_000);
  expect(third.written).toEqual([]);
  await third.end();
});

test('a value that stands longer than the point may be held is written anew in time', async () => {
  using home = scratch();
  const day = { ...morning, forS: 3 * 3_600 };
  const { time, written, end } = given(home.path, {
    schedules: [day],
    start: '2026-11-22T05:59:00Z',
    holdS: 3_600,
  });
  const before = written.length;
  await time.advance(5 * HOUR);
  await end();
  const own = written.slice(before);
  const ends = own.map(({ at, holdS }) => Date.parse(at) + holdS! * 1_000);
  // Never without the value between seven and ten, and not longer.
  for (const [n, { at }] of own.slice(1).entries()) expect(Date.parse(at)).toBeLessThan(ends[n]!);
  expect(new Date(Math.max(...ends)).toISOString()).toBe('2026-11-22T09:00:00.000Z');
});

test('a clock that is set back by an hour writes nothing twice', async () => {
  using home = scratch();
  const { time, written, end } = given(home.path, { schedules: [morning], start: '2026-11-22T05:59:00Z' });
  const before = written.length;
  await time.advance(5 * 60_000);
  time.jump(-HOUR);
  await time.advance(2 * HOUR);
  await end();
  expect(written.slice(before).map(({ at }) => at)).toEqual(['2026-11-22T06:00:00.000Z']);
});

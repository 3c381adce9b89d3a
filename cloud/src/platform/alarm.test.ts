import { expect, test } from 'vitest';
import { createAlarm } from './alarm.ts';
import { systemWait } from './clock.ts';

const never = new AbortController().signal;
const DAY_MS = 86_400_000;

test('a ring ends the pause that is on, and only that one', async () => {
  const alarm = createAlarm(systemWait);
  const pause = alarm.wait(DAY_MS, never);
  alarm.ring();
  await pause;
  let isOver = false;
  const next = alarm.wait(DAY_MS, never).then(() => (isOver = true));
  await systemWait(20, never);
  expect(isOver).toBe(false);
  alarm.ring();
  await next;
});

test('a ring while nobody waits counts once, however often it came', async () => {
  const waited: boolean[] = [];
  const alarm = createAlarm((_, signal) => {
    waited.push(!signal.aborted);
    return Promise.resolve();
  });
  alarm.ring();
  alarm.ring();
  await alarm.wait(DAY_MS, never);
  await alarm.wait(DAY_MS, never);
  expect(waited).toEqual([false, true]);
});

test('a signal that aborts ends the pause', async () => {
  const stop = new AbortController();
  const pause = createAlarm(systemWait).wait(DAY_MS, stop.signal);
  stop.abort();
  await pause;
  expect(stop.signal.aborted).toBe(true);
});

import { expect, test } from 'vitest';
import { scratch } from '../testing/scratch.ts';
import { checkClock, checkDisk, checkGateway, checkOutbox } from './machine.ts';

const now = Date.parse('2026-11-22T10:00:00Z');

test.each([
  ['right', now, now - 1_000, true, 'ok'],
  ['nobody knows better', now, null, undefined, 'ok'],
  ['follows nobody', now, null, false, 'warn'],
  ['of another century', 0, null, true, 'fail'],
  ['behind its own readings', now, now + 60_000, true, 'fail'],
] as const)('a clock that is %s', (_what, at, newest, follows, state) => {
  const finding = checkClock(at, newest, follows);
  expect(finding.state).toBe(state);
  expect(finding.todo === '').toBe(state === 'ok');
});

test('a disk tells its room and its pace, and a folder that is closed what to do', () => {
  using home = scratch();
  let ms = 0;
  const clock = (): number => (ms += 5);
  expect(checkDisk(home.path, 1, clock)).toMatchObject({
    state: 'ok',
    found: expect.stringMatching(/a write takes 5.0 ms/),
  });
  expect(checkDisk(home.path, 1, () => (ms += 500))).toMatchObject({
    state: 'warn',
    todo: expect.stringMatching(/SSD/),
  });
  expect(checkDisk(home.path, Number.MAX_SAFE_INTEGER, clock)).toMatchObject({ state: 'warn' });
});

test.each([
  [100, 'ok', '3 messages wait, 10 % of its room, room for another 9 h'],
  [850, 'warn', '3 messages wait, 85 % of its room, room for another 2 h: gauges are thinned'],
])('an outbox with %d of 1000 bytes waiting', (waitingBytes, state, found) => {
  const outbox = {
    pending: 3,
    oldestAt: 1,
    bytes: waitingBytes,
    maxBytes: 1_000,
    waitingBytes,
    bytesPerHour: 100,
  };
  expect(checkOutbox(outbox)).toMatchObject({ state, found });
});

test('a gateway tells that it runs, and that somebody switched remote writing off', () => {
  const outbox = { pending: 0, oldestAt: null, bytes: 0, maxBytes: 1, waitingBytes: 0, bytesPerHour: null };
  const health = {
    ...{
      gatewayId: '018f0000-0000-7000-8000-000000000001',
      at: now,
      startedAt: now - 1_000,
      version: '1.2.3',
    },
    ...{ outbox: { ...outbox, refused: 0, hoursLeft: null }, devices: [], writing: 'on' as const },
  };
  expect(checkGateway(undefined).state).toBe('skipped');
  expect(checkGateway(health)).toMatchObject({ state: 'ok', found: expect.stringMatching(/version 1.2.3$/) });
  expect(checkGateway({ ...health, writing: 'off' })).toMatchObject({
    state: 'warn',
    todo: expect.stringMatching(/parkline writing on/),
  });
});

import { sign, verify } from 'node:crypto';
import { GatewayHealth, SignedText } from '@parkline/contract';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { createBell } from '../base/bell.ts';
import { OutboxError, type OutboxState } from '../pipeline/outbox.ts';
import { newKeys } from '../testing/cloud.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { createDeviceBoard } from './devices.ts';
import { runHealth } from './report.ts';

const equipmentId = '018f0000-0000-7000-8000-000000000002';
const gatewayId = '018f0000-0000-7000-8000-000000000001';
/** A read that began after everything the test did before. */
const later = 9_000;

describe('the board of devices', () => {
  function given() {
    let now = 1_000;
    let changes = 0;
    const faults = rememberingFaults();
    const board = createDeviceBoard({
      devices: [{ equipmentId, name: 'Floor 1' }],
      now: () => (now += 1),
      faults,
      onChange: () => (changes += 1),
    });
    const setBack = (ms: number): void => void (now -= ms);
    return { board, faults, setBack, changes: () => changes, state: () => board.list()[0] };
  }

  test('a device starts, answers, falls silent after two failures and returns', () => {
    const { board, changes, state } = given();
    expect(state()).toEqual({ equipmentId, state: 'starting', lastOkAt: null, error: null });
    board.outcome(equipmentId, undefined, later);
    expect(state()).toEqual({ equipmentId, state: 'online', lastOkAt: 1_001, error: null });
    board.outcome(equipmentId, new Error('timeout'), later);
    expect(state()?.state).toBe('online');
    board.outcome(equipmentId, new Error('timeout'), later);
    expect(state()).toEqual({ equipmentId, state: 'silent', lastOkAt: 1_001, error: 'timeout' });
    board.outcome(equipmentId, new Error('no route'), later);
    expect(state()?.error).toBe('no route');
    expect(changes()).toBe(2);
    board.outcome(equipmentId, undefined, later);
    expect(state()).toMatchObject({ state: 'online', error: null });
    expect(changes()).toBe(3);
  });

  test('one lost answer between good ones is noise', () => {
    const { board, state } = given();
    for (const error of [undefined, 'x', undefined, 'x', undefined]) board.outcome(equipmentId, error, later);
    expect(state()?.state).toBe('online');
  });

  test('a device that pushes is online, and a read that failed meanwhile is no silence', () => {
    const { board, state } = given();
    board.told(equipmentId);
    expect(state()).toEqual({ equipmentId, state: 'online', lastOkAt: 1_001, error: null });
    for (let i = 0; i < 3; i += 1) board.outcome(equipmentId, new Error('timeout'), 1_000);
    expect(state()?.state).toBe('online');
    for (let i = 0; i < 2; i += 1) board.outcome(equipmentId, new Error('timeout'), later);
    expect(state()).toMatchObject({ state: 'silent', error: 'timeout' });
    board.told(equipmentId);
    expect(state()).toMatchObject({ state: 'online', error: null });
  });

  test('a device that is known to be gone is silent at once', () => {
    const { board, faults, state } = given();
    board.told(equipmentId);
    board.lost(equipmentId, new Error('last will'));
    expect(state()).toMatchObject({ state: 'silent', lastOkAt: 1_001, error: 'last will' });
    expect(faults.lines).toEqual(['fault device does not answer last will']);
  });

  test('an answer of before the clock was set back hides no silence', () => {
    const { board, faults, setBack } = given();
    board.told(equipmentId);
    setBack(500);
    board.outcome(equipmentId, new Error('timeout'), 501);
    expect(faults.lines).toEqual(['fault device does not answer timeout']);
  });

  test('a device that cannot be read as configured is silent from the start, with the reason', () => {
    const { board, faults, state } = given();
    board.broken(equipmentId, new Error('unit 300 is out of range'));
    expect(state()).toMatchObject({ state: 'silent', error: 'unit 300 is out of range' });
    expect(faults.lines).toEqual(['fault device is not readable as configured unit 300 is out of range']);
  });

  test('an unknown device is a bug', () => {
    expect(() => {
      given().board.outcome('nobody', undefined, later);
    }).toThrow('no device nobody');
  });
});

describe('the report', () => {
  const keys = newKeys();

  function given(state: () => OutboxState) {
    const time = createVirtualTime(5_000);
    const bell = createBell(time.wait);
    const faults = rememberingFaults();
    const sent: [atMs: number, health: GatewayHealth][] = [];
    const kept: GatewayHealth[] = [];
    const stop = new AbortController();
    const done = runHealth(
      {
        ...{ gatewayId, bell, faults, version: '0.1.0', startedAt: 4_000 },
        now: () => time.clock.now(),
        outbox: { state },
        board: { list: () => [{ equipmentId, state: 'online', lastOkAt: 4_500, error: null }] },
        refused: () => 3,
        isWritingOff: () => true,
        keep: (health) => void kept.push(health),
        sign: (bytes) => sign(null, bytes, keys.privateKey),
        publish(message) {
          const signed = Value.Parse(SignedText, JSON.parse(Buffer.from(message).toString()));
          const sig = Buffer.from(signed.sig, 'base64url');
          expect(verify(null, Buffer.from(signed.body), keys.publicKey, sig)).toBe(true);
          sent.push([time.clock.monotonic(), Value.Parse(GatewayHealth, JSON.parse(signed.body))]);
        },
      },
      stop.signal,
    );
    return { time, bell, faults, sent, kept, stop, done };
  }
  const outbox: OutboxState = {
    ...{ pending: 2, oldestAt: 4_100, bytes: 8_192, maxBytes: 1_000_000 },
    ...{ waitingBytes: 4_096, bytesPerHour: 100_000 },
  };

  test('is signed, and goes out every 10 s and at once when a device comes or goes', async () => {
    const { time, bell, sent, kept, stop, done } = given(() => outbox);
    await time.advance(13_000);
    bell.ring();
    await time.advance(10_000);
    stop.abort();
    await done;
    expect(sent.map(([at]) => at)).toEqual([0, 10_000, 13_000, 23_000]);
    expect(kept).toEqual(sent.map(([, health]) => health));
    expect(sent[0]?.[1]).toMatchObject({
      gatewayId,
      at: 5_000,
      outbox: { pending: 2, refused: 3 },
      writing: 'off',
    });
  });

  test('tells how many hours the outbox lasts at its pace, and owns up to not knowing', async () => {
    let bytesPerHour: number | null = 100_000;
    const { time, sent } = given(() => ({ ...outbox, waitingBytes: 950_000, bytesPerHour }));
    await time.advance(0);
    bytesPerHour = null;
    await time.advance(10_000);
    expect(sent.map(([, { outbox: told }]) => [told.waitingBytes, told.hoursLeft])).toEqual([
      [950_000, 0.5],
      [950_000, null],
    ]);
  });

  test('an outbox that cannot be asked is said, and the next turn tries again', async () => {
    let fails = true;
    const { time, faults, sent } = given(() => {
      if (fails) throw new OutboxError('disk', 'i/o error');
      return outbox;
    });
    await time.advance(0);
    expect([faults.lines, sent.length]).toEqual([['fault outbox does not tell its state i/o error'], 0]);
    fails = false;
    await time.advance(10_000);
    expect(sent).toHaveLength(1);
  });

  test('a damaged file ends the gateway', async () => {
    const { done } = given(() => {
      throw new OutboxError('corrupt', 'torn page');
    });
    await expect(done).rejects.toThrow('torn page');
  });
});

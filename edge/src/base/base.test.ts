import { describe, expect, test } from 'vitest';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { createBell } from './bell.ts';
import { systemWait } from './clock.ts';
import { createFailpoint } from './failpoint.ts';
import { createFaultLog } from './fault-log.ts';

describe('wait', () => {
  test('an abort ends it at once, before or meanwhile, without an error', async () => {
    const stop = new AbortController();
    const waiting = systemWait(60_000, stop.signal);
    stop.abort();
    await waiting;
    await systemWait(60_000, stop.signal);
    await systemWait(-1, new AbortController().signal);
  });
});

describe('a bell', () => {
  async function heardAfter(
    act: (bell: ReturnType<typeof createBell>, stop: AbortController) => void,
    limitMs = 1_000,
  ) {
    const time = createVirtualTime(0);
    const bell = createBell(time.wait);
    const stop = new AbortController();
    let heardAt: number | undefined;
    void time.wait(100, new AbortController().signal).then(() => {
      act(bell, stop);
    });
    void bell.heard(limitMs, stop.signal).then(() => (heardAt = time.clock.monotonic()));
    await time.advance(5_000);
    return heardAt;
  }

  test('wakes its listener on a ring, on a time-out and on an abort', async () => {
    expect(
      await heardAfter((bell) => {
        bell.ring();
      }),
    ).toBe(100);
    expect(await heardAfter(() => undefined)).toBe(1_000);
    expect(
      await heardAfter((_bell, stop) => {
        stop.abort();
      }),
    ).toBe(100);
  });

  test('a ring that nobody heard is not lost, and is heard once', async () => {
    const time = createVirtualTime(0);
    const bell = createBell(time.wait);
    const signal = new AbortController().signal;
    bell.ring();
    bell.ring();
    await bell.heard(1_000, signal);
    let isHeard = false;
    void bell.heard(1_000, signal).then(() => (isHeard = true));
    await time.advance(999);
    expect(isHeard).toBe(false);
  });
});

describe('a fault log', () => {
  function given() {
    const time = createVirtualTime(0);
    const lines: string[] = [];
    const log = {
      warn: (_facts: object, message: string) => lines.push(`warn ${message}`),
      info: (facts: object, message: string) => lines.push(`info ${message} ${JSON.stringify(facts)}`),
    };
    return { time, lines, faults: createFaultLog(log as never, time.clock) };
  }

  test('speaks at the beginning, on a new cause and once a minute', async () => {
    const { time, lines, faults } = given();
    for (let i = 0; i < 130; i += 1) {
      faults.fault('link', 'link down', { err: new Error(i < 100 ? 'refused' : 'no route'), attempt: i });
      await time.advance(1_000);
    }
    expect(lines).toEqual(['warn link down', 'warn link down', 'warn link down']);
  });

  test('a pause that is never the same is no new cause', async () => {
    const { time, lines, faults } = given();
    for (let i = 0; i < 50; i += 1) {
      faults.fault('device', 'device does not answer', {
        err: new Error(`no answer; asked again in ${1_800 + i} ms`),
      });
      await time.advance(1_000);
    }
    expect(lines).toEqual(['warn device does not answer']);
  });

  test('tells once that it is over and how long it lasted; keys do not mix', async () => {
    const { time, lines, faults } = given();
    faults.over('link', 'link up');
    faults.fault('link', 'link down', { why: 'x' });
    await time.advance(2_500);
    faults.over('other', 'other up');
    faults.over('link', 'link up');
    faults.over('link', 'link up');
    expect(lines).toEqual(['warn link down', 'info link up {"key":"link","lastedMs":2500}']);
  });
});

describe('a failpoint', () => {
  test('kills at the n-th pass of its name only', () => {
    let crashes = 0;
    const failpoint = createFailpoint('after-commit:crash@3', () => (crashes += 1));
    failpoint('after-commit');
    failpoint('after-poll');
    failpoint('after-commit');
    expect(crashes).toBe(0);
    failpoint('after-commit');
    failpoint('after-commit');
    expect(crashes).toBe(1);
  });

  test('without a spec nothing happens, with a bad one nothing starts', () => {
    createFailpoint(undefined, () => {
      throw new Error('crashed');
    })('after-poll');
    expect(() => createFailpoint('after-lunch:crash@1', () => undefined)).toThrow('bad failpoint');
  });
});

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { draft, openTestOutbox, scratch } from '../testing/scratch.ts';
import { openFile } from './outbox-file.ts';

const KB = Buffer.alloc(1_024, 7);

describe('append', () => {
  test('numbers run on through restarts and deletions', () => {
    using home = scratch();
    const first = openTestOutbox(home.path);
    expect([first.append(draft()), first.append(draft()), first.lastSeq()]).toEqual([1, 2, 2]);
    first.receive([[1, 2]], true, 5);
    expect(first.purge(6)).toBe(2);
    first.close();
    const second = openTestOutbox(home.path);
    expect([second.append(draft()), second.epoch]).toEqual([3, first.epoch]);
    expect(Buffer.from(second.envelope(3)!).toString()).toBe('3');
    expect(second.envelope(1)).toBeUndefined();
    second.close();
    second.close();
  });

  test('a message that cannot be sealed costs no number', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const broken = draft({
      seal: () => {
        throw new Error('no key');
      },
    });
    expect(() => outbox.append(broken)).toThrow('no key');
    expect(outbox.append(draft())).toBe(1);
    outbox.close();
  });

  test('a commit is on the disk, not in its cache', () => {
    using home = scratch();
    const { db } = openFile(join(home.path, 'outbox.sqlite'), {
      suffix: 'x',
      busyMs: 10,
      mayMoveAside: false,
    });
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 /* FULL */ });
    db.close();
  });

  test('remembers the point table it wrote last', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    expect(outbox.tableHash()).toBeNull();
    outbox.append(draft({ kind: 'points', tableHash: 'abc' }));
    outbox.append(draft());
    expect(outbox.tableHash()).toBe('abc');
    outbox.close();
  });

  test('passes its failpoints on both sides of the commit', () => {
    using home = scratch();
    const passed: string[] = [];
    const outbox = openTestOutbox(home.path, { failpoint: (name) => passed.push(name) });
    outbox.append(draft());
    expect(passed).toEqual(['before-commit', 'after-commit']);
    outbox.close();
  });

  test('ids for the broker differ by message and by outbox and cannot be computed from outside', () => {
    using a = scratch();
    using b = scratch();
    const [one, other] = [openTestOutbox(a.path), openTestOutbox(b.path)];
    const ids = [one.messageId(1), one.messageId(2), other.messageId(1)];
    expect(new Set(ids).size).toBe(3);
    expect(one.messageId(1)).toBe(ids[0]);
    expect(ids[0]).toMatch(/^[\w-]{43}$/);
    one.close();
    other.close();
  });
});

describe('waiting messages', () => {
  test('oldest first, newest first, tables by themselves', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    outbox.append(draft({ kind: 'points', tableHash: 'x' }));
    for (let i = 0; i < 4; i += 1) outbox.append(draft());
    outbox.receive([[3, 3]], true, 9);
    expect(outbox.waiting(0, 10)).toEqual([1, 2, 4, 5]);
    expect(outbox.waiting(2, 1)).toEqual([4]);
    expect([outbox.newestWaiting(0), outbox.newestWaiting(5)]).toEqual([5, undefined]);
    expect(outbox.waitingTables()).toEqual([1]);
    expect(outbox.state()).toMatchObject({ pending: 4, oldestAt: 1 });
    outbox.close();
  });
});

describe('receipts', () => {
  function withFive(home: string) {
    const outbox = openTestOutbox(home);
    for (let i = 0; i < 5; i += 1) outbox.append(draft());
    return outbox;
  }

  test('mark exactly their ranges, once', () => {
    using home = scratch();
    const outbox = withFive(home.path);
    expect(
      outbox.receive(
        [
          [1, 2],
          [4, 4],
        ],
        true,
        9,
      ),
    ).toEqual({ received: 3, lostFrom: null });
    expect(
      outbox.receive(
        [
          [1, 2],
          [4, 4],
        ],
        true,
        9,
      ),
    ).toEqual({ received: 0, lostFrom: null });
    expect(outbox.waiting(0, 9)).toEqual([3, 5]);
    expect(outbox.state().oldestAt).toBe(1);
    outbox.close();
  });

  test('a rolled-back receipt makes messages wait again, unless it is an old one', () => {
    using home = scratch();
    const outbox = withFive(home.path);
    outbox.receive([[1, 5]], true, 9);
    expect(outbox.receive([[1, 2]], false, 9)).toEqual({ received: 0, lostFrom: null });
    expect(outbox.waiting(0, 9)).toEqual([]);
    expect(
      outbox.receive(
        [
          [1, 2],
          [4, 4],
        ],
        true,
        9,
      ),
    ).toEqual({ received: 0, lostFrom: 3 });
    expect(outbox.waiting(0, 9)).toEqual([3, 5]);
    expect(outbox.receive([], true, 9)).toEqual({ received: 0, lostFrom: 1 });
    expect(outbox.state()).toMatchObject({ pending: 5 });
    outbox.close();
  });

  test('only what was received long enough ago is deleted, and point tables never', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    outbox.append(draft({ kind: 'points', tableHash: 'x' }));
    for (let i = 0; i < 3; i += 1) outbox.append(draft());
    outbox.receive([[1, 2]], true, 100);
    outbox.receive([[1, 3]], true, 200);
    expect(outbox.purge(200)).toBe(1);
    expect([1, 2, 3, 4].map((seq) => outbox.envelope(seq) !== undefined)).toEqual([true, false, true, true]);
    outbox.close();
  });
});

describe('room', () => {
  /** Appends until the outbox says something else than `room`. @returns the messages it took. */
  function fillWhile(room: string, outbox: ReturnType<typeof openTestOutbox>): number {
    let taken = 0;
    for (; outbox.room() === room; taken += 1) outbox.append(draft({ bytes: KB }));
    return taken;
  }

  test('gauges are thinned first, then refused; registers go last', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path, { maxBytes: 400 * 1_024 });
    expect(fillWhile('all', outbox)).toBeGreaterThan(100);
    expect(outbox.room()).toBe('thinned');
    expect(fillWhile('thinned', outbox)).toBeGreaterThan(10);
    expect(outbox.room()).toBe('registers');
    expect(fillWhile('registers', outbox)).toBeGreaterThan(10);
    expect(outbox.room()).toBe('none');
    expect(outbox.state().bytes).toBeLessThan(500 * 1_024);
    outbox.close();
  });

  test('what the cloud has makes way before anything new is refused; what it has not stays', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path, { maxBytes: 400 * 1_024 });
    fillWhile('all', outbox);
    outbox.receive([[1, 50]], true, 9);
    expect(outbox.room()).toBe('all');
    expect(outbox.envelope(50)).toBeUndefined();
    expect(outbox.envelope(51)).toBeDefined();
    outbox.close();
  });
});

describe('state', () => {
  test('tells what waits, and how fast it grows once there is a minute to go by', () => {
    using home = scratch();
    let at = 0;
    const outbox = openTestOutbox(home.path, { now: () => at });
    outbox.append(draft({ bytes: KB }));
    expect(outbox.state().bytesPerHour).toBeNull();
    for (at = 10_000; at <= 600_000; at += 10_000) outbox.append(draft({ bytes: KB }));
    outbox.receive([[1, 31]], true, 9);
    const { bytesPerHour, waitingBytes, bytes } = outbox.state();
    expect(bytesPerHour).toBe(61 * KB.length * 6);
    expect(waitingBytes / bytes).toBeCloseTo(30 / 61, 2);
    outbox.close();
  });

  test('of an empty outbox is nothing', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    expect(outbox.state()).toMatchObject({ pending: 0, oldestAt: null, waitingBytes: 0, bytesPerHour: null });
    outbox.close();
  });
});

describe('gaps', () => {
  test('wait to be told until a message tells them, in the same transaction', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const gap = { what: 'gauges', why: 'full', from: 1, to: 2, count: 3 } as const;
    const [first, second] = [outbox.saveGap(gap), outbox.saveGap({ ...gap, why: 'thinned' })];
    outbox.append(draft({ kind: 'events', tellsGap: first }));
    expect(outbox.untoldGaps()).toEqual([{ ...gap, why: 'thinned', id: second }]);
    expect(() =>
      outbox.append(
        draft({
          tellsGap: second,
          seal: () => {
            throw new Error('no key');
          },
        }),
      ),
    ).toThrow('no key');
    expect(outbox.untoldGaps()).toHaveLength(1);
    outbox.close();
  });

  test('of a file of the first version are kept, with all it holds, and still to be told', () => {
    using home = scratch();
    const first = openTestOutbox(home.path);
    first.append(draft());
    first.saveGap({ what: 'all', why: 'disk', from: 1, to: 2, count: 3 });
    const { epoch } = first;
    first.close();
    const db = new DatabaseSync(join(home.path, 'outbox.sqlite'));
    db.exec('ALTER TABLE gap DROP COLUMN told_seq; PRAGMA user_version = 1;');
    db.close();
    const outbox = openTestOutbox(home.path);
    expect([outbox.epoch, outbox.lastSeq(), outbox.waiting(0, 9)]).toEqual([epoch, 1, [1]]);
    expect(outbox.untoldGaps()).toEqual([{ id: 1, what: 'all', why: 'disk', from: 1, to: 2, count: 3 }]);
    outbox.close();
  });

  test('are written once and extended in place', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const gap = { what: 'gauges', why: 'full', from: 1, to: 2, count: 3 } as const;
    const id = outbox.saveGap(gap);
    expect(outbox.saveGap({ ...gap, to: 9, count: 8 }, id)).toBe(id);
    expect(outbox.saveGap(gap)).not.toBe(id);
    outbox.close();
    const db = new DatabaseSync(join(home.path, 'outbox.sqlite'));
    expect(db.prepare('SELECT what, why, from_ms, to_ms, count FROM gap WHERE id = ?').get(id)).toEqual({
      ...{ what: 'gauges', why: 'full', from_ms: 1, to_ms: 9, count: 8 },
    });
    db.close();
  });
});

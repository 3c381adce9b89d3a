import { describe, expect, test } from 'vitest';
import { createSendPlan } from './send-plan.ts';

/** An outbox of bare numbers. */
function given(count: number, tables: readonly number[] = [], allowance = Infinity) {
  const rows = Array.from({ length: count }, (_, i) => i + 1); // Ascending.
  const waiting = {
    add(seq: number): void {
      rows.push(seq);
      rows.sort((a, b) => a - b);
    },
    delete(seq: number): void {
      rows.splice(rows.indexOf(seq), 1);
    },
  };
  const plan = createSendPlan(
    {
      waiting(after, limit) {
        const first = rows.findIndex((seq) => seq > after);
        return first < 0 ? [] : rows.slice(first, first + limit);
      },
      newestWaiting: (after) => rows.findLast((seq) => seq > after),
      waitingTables: () => tables.filter((seq) => rows.includes(seq)),
    },
    0,
    { allowance: () => allowance, receipted: () => undefined },
  );
  const take = (n: number, slots = 1_000): (number | undefined)[] =>
    Array.from({ length: n }, (_, i) => plan.next(Math.min(i, 1), slots, 0));
  const receive = (upTo: number, now: number): void => {
    const known = rows.filter((seq) => seq <= upTo);
    known.forEach(waiting.delete);
    plan.received(upTo > 0 ? [[1, upTo]] : [], known.length > 0, now);
  };
  return { plan, take, receive, waiting };
}

describe('order', () => {
  test('tables, then the newest, then the backlog from its oldest end', () => {
    expect(given(6, [2]).take(7)).toEqual([2, 6, 1, 3, 4, 5, undefined]);
  });

  test('what is appended meanwhile overtakes the backlog, newest first; what it skipped follows in turn', () => {
    const { take, waiting } = given(5);
    expect(take(2)).toEqual([5, 1]);
    for (const seq of [6, 7, 8]) waiting.add(seq);
    expect(take(6)).toEqual([8, 2, 3, 4, 6, 7]);
  });

  test('nothing goes twice while it is on the way', () => {
    const { take } = given(300);
    const all = take(400);
    expect(new Set(all.filter((seq) => seq !== undefined)).size).toBe(300);
  });

  test('a long backlog is found behind hundreds that are on the way', () => {
    const { plan, take } = given(1_000);
    take(900);
    plan.failed(3);
    expect(take(2)).toEqual([3, 900]);
  });

  test('the backlog leaves slots free for what is new', () => {
    const { plan, waiting } = given(100);
    plan.next(0, 64, 0);
    expect(plan.next(55, 64, 0)).toBe(1);
    expect(plan.next(56, 64, 0)).toBeUndefined();
    waiting.add(101);
    expect(plan.next(56, 64, 0)).toBe(101);
    expect(plan.next(64, 64, 0)).toBeUndefined();
  });

  test('the narrowest window still moves the backlog', () => {
    const { take } = given(3);
    expect(take(1, 1)).toEqual([3]);
    expect(take(1, 1)).toEqual([1]);
  });

  test('a stream that nobody empties is not filled without end', () => {
    expect(
      given(6_000)
        .take(6_000)
        .filter((seq) => seq !== undefined),
    ).toHaveLength(5_000);
  });
});

describe('the pace of the backlog', () => {
  test('bounds what waits for its receipts, and never what is new', () => {
    const { take, waiting, receive } = given(10, [], 3);
    expect(take(6)).toEqual([10, 1, 2, 3, undefined, undefined]);
    for (const seq of [11, 12]) waiting.add(seq);
    expect(take(2)).toEqual([12, undefined]);
    receive(1, 5);
    expect(take(2)).toEqual([4, undefined]);
  });

  test('is told of each receipt of the backlog, and of no other', () => {
    const told: number[] = [];
    const rows = [1, 2, 3];
    const plan = createSendPlan(
      {
        waiting: (after, limit) => rows.filter((seq) => seq > after).slice(0, limit),
        newestWaiting: (after) => rows.findLast((seq) => seq > after),
        waitingTables: () => [],
      },
      0,
      { allowance: () => 9, receipted: (sentAt) => void told.push(sentAt) },
    );
    for (const at of [10, 20, 30]) plan.next(0, 64, at); // 3, then 1 and 2.
    plan.received([[1, 3]], true, 500);
    expect(told).toEqual([20, 30]);
  });
});

describe('again', () => {
  test('what failed goes again', () => {
    const { plan, take } = given(3);
    take(3);
    plan.failed(2);
    expect(take(2)).toEqual([2, undefined]);
  });

  test('what the cloud lost goes again', () => {
    const { plan, take, receive, waiting } = given(3);
    take(3);
    receive(3, 10);
    for (const seq of [2, 3]) waiting.add(seq);
    plan.rewind(2);
    expect(take(3)).toEqual([2, 3, undefined]);
  });

  test('30 s without progress: all that was PubAcked goes again, then ever more rarely', () => {
    const { plan, take } = given(2);
    const sentAt: number[] = [];
    for (let now = 0; now <= 1_300_000; now += 1_000) {
      if (plan.resend(now) > 0) sentAt.push(now / 1_000);
      for (const seq of take(2)) if (seq !== undefined) plan.pubAcked(seq, now);
    }
    expect(sentAt).toEqual([30, 90, 210, 450, 930]);
  });

  test('progress resets the patience', () => {
    const { plan, take, receive } = given(3);
    for (const seq of take(3)) plan.pubAcked(seq!, 0);
    expect(plan.resend(30_000)).toBe(3);
    for (const seq of take(3)) plan.pubAcked(seq!, 30_000);
    receive(1, 31_000);
    expect(plan.resend(59_000)).toBe(0);
    expect(plan.resend(61_000)).toBe(2);
  });

  test('what is only on the way is not resent', () => {
    const { plan, take } = given(1);
    take(1);
    expect(plan.resend(100_000)).toBe(0);
  });

  test('a message overtaken by one PubAcked 30 s later is lost, however lively the receipts are', () => {
    const { plan, take, waiting } = given(1);
    take(1);
    plan.pubAcked(1, 0);
    let resentAt: number | undefined;
    for (let second = 1; second < 60 && resentAt === undefined; second += 1) {
      const seq = second + 1;
      waiting.add(seq);
      take(1);
      plan.pubAcked(seq, second * 1_000);
      waiting.delete(seq);
      plan.received([[2, seq]], true, second * 1_000);
      if (plan.resend(second * 1_000) === 1) resentAt = second;
    }
    expect(resentAt).toBe(30);
    expect(take(1)).toEqual([1]);
  });

  test('a late PubAck of what was received meanwhile is nothing', () => {
    const { plan, take, receive } = given(1);
    take(1);
    receive(1, 5);
    plan.pubAcked(1, 6);
    expect(plan.resend(100_000)).toBe(0);
  });
});

import { describe, expect, test } from 'vitest';
import { createBell } from '../base/bell.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { draft, openTestOutbox, scratch } from '../testing/scratch.ts';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { type Outbox, OutboxError } from './outbox.ts';
import { createUplink } from './uplink.ts';

interface World {
  /** Of the link; 0 is down. */
  generation: number;
  ackMs: number;
  /** What the broker answers instead of storing. */
  refuse?: string | undefined;
  receiptFails: boolean;
  /** The log behind the broker: the cloud takes a message out of its old end so often, and receipts it. None: it is away. */
  takeEveryMs?: number;
  readonly sent: [atMs: number, seq: number][];
  onTheWay: number;
  most: number;
  asked: number;
  passed: number;
}

/** A gateway's sending half with a broker and a cloud of a few lines. */
function given(outbox: Outbox, over: Partial<Outbox> = {}, state: Partial<World> = {}) {
  const time = createVirtualTime(0);
  const bell = createBell(time.wait);
  const faults = rememberingFaults();
  const stop = new AbortController();
  const world: World = {
    ...{ generation: 1, ackMs: 0, receiptFails: false, sent: [], onTheWay: 0, most: 0, asked: 0, passed: 0 },
    ...state,
  };
  const uplink = createUplink({
    outbox: { ...outbox, ...over },
    link: {
      generation: () => world.generation,
      async publish(_messageId, envelope) {
        world.sent.push([time.clock.monotonic(), Number(Buffer.from(envelope).toString())]);
        world.onTheWay += 1;
        world.most = Math.max(world.most, world.onTheWay);
        await time.wait(world.ackMs, new AbortController().signal);
        world.onTheWay -= 1;
        if (world.refuse !== undefined) throw new Error(world.refuse);
        log.push(Number(Buffer.from(envelope).toString()));
      },
      askReceipt() {
        world.asked += 1;
        return world.receiptFails ? Promise.reject(new Error('nobody there')) : Promise.resolve();
      },
    },
    clock: time.clock,
    bell,
    log: { info: () => undefined },
    faults,
    failpoint: () => (world.passed += 1),
  });
  const append = (count: number): void => {
    for (let i = 0; i < count; i += 1) outbox.append(draft());
    bell.ring();
  };
  const receive = (ranges: [number, number][]): void => {
    uplink.onReceipt(ranges, outbox.receive(ranges, true, 1));
  };
  const log: number[] = [];
  const receivedAt = new Map<number, number>();
  async function runCloud(everyMs: number): Promise<void> {
    while (!stop.signal.aborted) {
      await time.wait(everyMs, stop.signal);
      const seq = log.shift();
      if (seq === undefined) continue;
      receivedAt.set(seq, time.clock.monotonic());
      uplink.onReceipt([[seq, seq]], outbox.receive([[seq, seq]], false, 1));
    }
  }
  if (world.takeEveryMs !== undefined) void runCloud(world.takeEveryMs);
  const done = uplink.run(stop.signal);
  return {
    time,
    world,
    faults,
    append,
    receive,
    receivedAt,
    stop,
    done,
    sent: () => world.sent.map(([, seq]) => seq),
  };
}

test('sends what is appended at once and each message once; rows stay until the receipt', async () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  const { time, append, sent, world, receive, stop, done } = given(outbox);
  append(3);
  await time.advance(5_000);
  expect(sent().toSorted()).toEqual([1, 2, 3]);
  expect(world.passed).toBe(3);
  expect(outbox.state().pending).toBe(3);
  receive([[1, 3]]);
  expect(outbox.state().pending).toBe(0);
  stop.abort();
  await done;
  outbox.close();
});

test('the window opens to 64 on a fast link and no further', async () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  const { time, append, world, stop } = given(outbox, {}, { ackMs: 100, takeEveryMs: 2 });
  append(1_000);
  await time.advance(10_000);
  stop.abort();
  expect(world.most).toBeGreaterThan(50);
  expect(world.most).toBeLessThanOrEqual(64);
  expect(world.sent).toHaveLength(1_000);
  outbox.close();
});

test.each([10, 20, 90])(
  'a cloud that takes a message every %d ms has what is fresh within 5 s, and the backlog tenfold faster than it grew',
  async (takeEveryMs) => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const { time, append, receivedAt, stop } = given(outbox, {}, { ackMs: 5, takeEveryMs });
    const backlog = 600; // Ten minutes at a message a second.
    append(backlog);
    const appendedAt = new Map<number, number>();
    const isDrained = (): boolean => receivedAt.has(backlog - 1);
    while (!isDrained()) {
      append(1);
      appendedAt.set(outbox.lastSeq(), time.clock.monotonic());
      await time.advance(1_000);
    }
    const drainedAfter = time.clock.monotonic();
    await time.advance(5_000);
    const ages = [...appendedAt].map(([seq, at]) => (receivedAt.get(seq) ?? Infinity) - at);
    expect(Math.max(...ages)).toBeLessThanOrEqual(5_000);
    expect(drainedAfter).toBeLessThanOrEqual((backlog * 1_000) / 10);
    stop.abort();
    outbox.close();
  },
);

test('a cloud that is away gets a handful of the backlog, not all of it: what is fresh would wait behind it', async () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  const { time, append, world } = given(outbox);
  append(1_000);
  await time.advance(10_000);
  expect(world.sent.length).toBeLessThanOrEqual(20);
  outbox.close();
});

test('while a backlog drains over a slow link, the newest on its way is never older than 5 s', async () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  const { time, append, world, sent } = given(outbox, {}, { ackMs: 4_000 });
  append(200);
  await time.advance(30_000);
  const ages: number[] = [];
  const appendedAt = new Map<number, number>();
  for (let second = 0; second < 60; second += 1) {
    append(1);
    appendedAt.set(outbox.lastSeq(), time.clock.monotonic());
    await time.advance(1_000);
    ages.push(time.clock.monotonic() - (appendedAt.get(Math.max(...sent())) ?? -Infinity));
  }
  expect(Math.max(...ages.slice(5))).toBeLessThanOrEqual(5_000);
  expect(world.most).toBeLessThanOrEqual(16);
  outbox.close();
});

describe('a link that is down', () => {
  test('nothing is tried; on return the cloud is asked first, then all of it flows', async () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const { time, append, world, sent } = given(outbox, {}, { generation: 0 });
    append(5);
    await time.advance(60_000);
    expect([world.asked, sent()]).toEqual([0, []]);
    world.generation = 2;
    await time.advance(1_000);
    expect(world.asked).toBe(1);
    expect(sent().toSorted()).toEqual([1, 2, 3, 4, 5]);
    outbox.close();
  });

  test('a cloud that does not answer stops nothing', async () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const { time, append, faults, sent } = given(outbox, {}, { receiptFails: true });
    append(1);
    await time.advance(1_000);
    expect(sent()).toEqual([1]);
    expect(faults.lines).toContain('fault cloud does not say what it holds nobody there');
    outbox.close();
  });

  test('what was on the way when it broke goes again over the new one, and its late answer changes nothing', async () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const { time, append, world, sent } = given(outbox);
    world.ackMs = 10_000;
    append(2);
    await time.advance(1_000);
    world.refuse = 'timeout';
    world.generation = 0;
    await time.advance(1_000);
    world.generation = 2;
    world.ackMs = 0;
    await time.advance(500);
    world.refuse = undefined;
    await time.advance(60_000);
    expect(sent().slice(0, 4).toSorted()).toEqual([1, 1, 2, 2]);
    outbox.close();
  });
});

describe('a broker that refuses', () => {
  test('is asked again after 0.5, 1, 2 … up to 30 s, and nothing is given up', async () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const { time, append, world, faults, sent } = given(outbox);
    world.refuse = 'maximum bytes exceeded (10077)';
    append(1);
    await time.advance(200_000);
    const at = world.sent.map(([ms]) => ms);
    const pauses = at.slice(1).map((ms, i) => Math.round((ms - at[i]!) / 1_000));
    expect(pauses.slice(0, 3)).toEqual([1, 1, 2]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(31);
    expect(faults.lines[0]).toBe('fault uplink failed maximum bytes exceeded (10077)');
    world.refuse = undefined;
    await time.advance(31_000);
    expect(faults.lines.at(-1)).toBe('over uplink works again');
    expect(sent().every((seq) => seq === 1)).toBe(true);
    outbox.close();
  });
});

describe('receipts', () => {
  test('PubAcks without receipt progress for 30 s: it goes again, and the cloud is asked', async () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const { time, append, world, sent } = given(outbox);
    append(2);
    await time.advance(29_000);
    expect(sent()).toHaveLength(2);
    await time.advance(3_000);
    expect(sent()).toHaveLength(4);
    expect(world.asked).toBe(2);
    outbox.close();
  });

  test('a rolled-back receipt sends again what the cloud lost', async () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const { time, append, receive, sent } = given(outbox);
    append(4);
    await time.advance(1_000);
    receive([[1, 4]]);
    receive([
      [1, 1],
      [3, 3],
    ]);
    await time.advance(1_000);
    expect(sent().slice(4)).toEqual([2, 4]);
    outbox.close();
  });
});

describe('an outbox that cannot be read', () => {
  test('a failing disk is waited out', async () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    let fails = true;
    const waiting: Outbox['waiting'] = (after, limit) => {
      if (fails) throw new OutboxError('disk', 'i/o error');
      return outbox.waiting(after, limit);
    };
    const { time, append, faults, sent } = given(outbox, { waiting });
    append(2);
    await time.advance(3_000);
    fails = false;
    await time.advance(2_000);
    expect(sent().toSorted()).toEqual([1, 2]);
    expect(faults.lines).toContain('fault outbox cannot be read i/o error');
    outbox.close();
  });

  test('a damaged file ends the gateway', async () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    const { done } = given(outbox, {
      waitingTables: () => {
        throw new OutboxError('corrupt', 'torn page');
      },
    });
    await expect(done).rejects.toThrow('torn page');
    outbox.close();
  });
});

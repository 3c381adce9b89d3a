import fc from 'fast-check';
import { expect, test } from 'vitest';
import { draft, openTestOutbox, scratch } from '../testing/scratch.ts';
import type { Outbox } from './outbox.ts';
import type { Range } from './ranges.ts';
import { createSendPlan, type SendPlan } from './send-plan.ts';

/** What must be true of an outbox, a broker that forgets and a cloud that may be restored, in as few words as possible. */
interface Model {
  accepted: number;
  /** In the broker, not yet in the cloud. */
  broker: Set<number>;
  cloud: Set<number>;
  /** Marked received in the outbox. */
  receipted: Set<number>;
  onTheWay: number[];
  now: number;
  receiptAt: number;
}

interface Real {
  home: string;
  outbox: Outbox;
  plan: SendPlan;
}

const rangesOf = (set: ReadonlySet<number>): Range[] => {
  const ranges: [number, number][] = [];
  for (const n of [...set].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === n - 1) last[1] = n;
    else ranges.push([n, n]);
  }
  return ranges;
};

type Command = fc.Command<Model, Real>;
const command = (
  name: string,
  run: (m: Model, r: Real) => void,
  check: (m: Model) => boolean = () => true,
): Command => ({
  check,
  run(m, r) {
    run(m, r);
    m.now += 1_000;
    // The law: what was accepted and is not receipted waits, readable; nothing else does.
    const waiting = Array.from({ length: m.accepted }, (_, i) => i + 1).filter(
      (seq) => !m.receipted.has(seq),
    );
    expect(r.outbox.waiting(0, 10_000)).toEqual(waiting);
    for (const seq of waiting) expect(Buffer.from(r.outbox.envelope(seq)!).toString()).toBe(String(seq));
  },
  toString: () => name,
});

const append = command('append', (m, r) => {
  m.accepted += 1;
  expect(r.outbox.append(draft())).toBe(m.accepted);
});

const crash = command('crash', (m, r) => {
  r.outbox.close();
  r.outbox = openTestOutbox(r.home);
  r.plan = createSendPlan(r.outbox, m.now);
  m.onTheWay = [];
});

const send = command('send', (m, r) => {
  const seq = r.plan.next(m.onTheWay.length, 8, m.now);
  if (seq === undefined) return;
  expect(m.onTheWay).not.toContain(seq);
  m.onTheWay.push(seq);
});

const pubAck = command(
  'pub-ack',
  (m, r) => {
    const seq = m.onTheWay.shift()!;
    m.broker.add(seq);
    r.plan.pubAcked(seq, m.now);
  },
  (m) => m.onTheWay.length > 0,
);

const fail = command(
  'fail',
  (m, r) => {
    r.plan.failed(m.onTheWay.pop()!);
  },
  (m) => m.onTheWay.length > 0,
);

const ingest = command('ingest', (m) => {
  for (const seq of m.broker) m.cloud.add(seq);
  m.broker.clear();
});

/** Takes note of the cloud's state now, as the gateway does. */
function receive(m: Model, r: Real): void {
  const ranges = rangesOf(m.cloud);
  const { received, lostFrom } = r.outbox.receive(ranges, m.now >= m.receiptAt, m.now);
  m.receiptAt = m.now;
  m.receipted = new Set(m.cloud);
  r.plan.received(ranges, received > 0, m.now);
  if (lostFrom !== null) r.plan.rewind(lostFrom);
}

const receipt = command('receipt', receive);
const wipeBroker = command('wipe-broker', (m) => {
  m.broker.clear();
});
const rollBackCloud = command('roll-back-cloud', (m) => {
  m.cloud = new Set([...m.cloud].filter((seq) => seq <= m.cloud.size / 2));
});

/** The faults stop. Within a bounded number of quiet rounds the cloud must hold every accepted message. */
function drain(m: Model, r: Real): void {
  for (let round = 0; round < 40; round += 1) {
    m.now += 30_000;
    r.plan.resend(m.now);
    for (
      let seq = r.plan.next(m.onTheWay.length, 8, m.now);
      seq !== undefined;
      seq = r.plan.next(m.onTheWay.length, 8, m.now)
    ) {
      m.onTheWay.push(seq);
      if (m.onTheWay.length === 8) flush(m, r);
    }
    flush(m, r);
    receive(m, r);
  }
}

function flush(m: Model, r: Real): void {
  for (const seq of m.onTheWay.splice(0)) {
    m.cloud.add(seq);
    r.plan.pubAcked(seq, m.now);
  }
}

test('whatever fails in whatever order, nothing accepted is lost and everything arrives in the end', () => {
  const commands = fc.commands(
    [
      append,
      append,
      append,
      crash,
      send,
      send,
      pubAck,
      pubAck,
      fail,
      ingest,
      receipt,
      wipeBroker,
      rollBackCloud,
    ].map((each) => fc.constant(each)),
    { maxCommands: 80 },
  );
  fc.assert(
    fc.property(commands, (list) => {
      using home = scratch();
      const outbox = openTestOutbox(home.path);
      const real: Real = { home: home.path, outbox, plan: createSendPlan(outbox, 0) };
      const model: Model = {
        accepted: 0,
        broker: new Set(),
        cloud: new Set(),
        receipted: new Set(),
        onTheWay: [],
        now: 0,
        receiptAt: 0,
      };
      try {
        fc.modelRun(() => ({ model, real }), list);
        drain(model, real);
        expect(rangesOf(model.cloud)).toEqual(model.accepted > 0 ? [[1, model.accepted]] : []);
        expect(real.outbox.state().pending).toBe(0);
      } finally {
        real.outbox.close();
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultDesk, openFaultDesk, type Scenario } from '../support/fault-desk.ts';
import {
  beginUnderKills,
  escalateUnderKills,
  type Plan,
  type Step,
  steps,
  type Tally,
  tally,
} from '../support/kill-round.ts';
import { type RunningPark, startPark, until } from '../support/park.ts';

/** Where the figures are left, for whoever compares runs. */
const report = join(import.meta.dirname, '../../node_modules/.cache/parkline-test/chaos-orders.json');
const processes = ['api', 'ingest', 'worker'] as const;
/** How often each process is killed at each step. */
const ROUNDS = 5;
/** Scenarios whose fault opens within seconds, one for each process of a round. */
const quick = ['gate-forced', 'leak', 'elevator-between-floors'] as const;
/** Long enough to be met while it counts, s. */
const HOLDS_FOR_S = 8;
const PATIENCE_MS = 180_000;
const whole: Tally = { faults: 1, orders: 1, created: 1, dispatched: 1, escalated: 1 };

interface Case {
  readonly id: string;
  attempts: number;
  lost: number;
  duplicates: number;
  seconds: number;
  readonly skipped: number;
}

const cases = new Map(
  processes.flatMap((process) =>
    steps.map((step): [string, Case] => {
      const id = `${process} killed while ${step}`;
      return [id, { id, attempts: 0, lost: 0, duplicates: 0, seconds: 0, skipped: 0 }];
    }),
  ),
);

describe('orders while the processes of the cloud are killed', () => {
  let park: RunningPark;
  let desk: FaultDesk;
  let scenarios: readonly Scenario[];

  beforeAll(async () => {
    park = await startPark({ park: 'firmware-sim/parks/demo.yaml', args: ['--history-months', '0'] });
    desk = await openFaultDesk(park);
    scenarios = quick.map((name) => desk.scenarios.find((one) => one.name === name)!);
    for (const { rule } of scenarios) await desk.tune(rule, HOLDS_FOR_S);
    await desk.acceptWithin(1);
  }, 300_000);
  afterAll(async () => {
    await park?.stop();
    const all = [...cases.values()];
    const sum = (of: (one: Case) => number): number => all.reduce((total, one) => total + of(one), 0);
    const result = {
      ...{ suite: 'orders', cases: all, attempts: sum(({ attempts }) => attempts) },
      ...{ lost: sum(({ lost }) => lost), duplicates: sum(({ duplicates }) => duplicates), skipped: 0 },
    };
    await mkdir(join(report, '..'), { recursive: true });
    await writeFile(report, `${JSON.stringify(result, null, 2)}\n`);
    process.stdout.write(`${JSON.stringify(result)}\n`);
  });

  test.for(Array.from({ length: ROUNDS }, (_, round) => round))(
    'round %i: each process killed at each step; one order of each fault, one word to the supervisor',
    { timeout: 900_000 },
    async (round) => {
      const since = Date.now();
      const names = scenarios.map((_, index) => processes[(index + round) % processes.length]!);
      const plans = scenarios.map((scenario, index): Plan => {
        const name = names[index]!;
        return { scenario, kills: { pending: name, ordering: name } };
      });
      let tallies: Tally[];
      try {
        const orders = await beginUnderKills({ park, desk }, plans);
        // Whose order comes due first is escalated first, so any name may meet any order.
        await escalateUnderKills({ park, desk }, orders, names);
      } finally {
        tallies = await Promise.all(scenarios.map((scenario) => tally(desk, scenario, since)));
        const seconds = (Date.now() - since) / 1_000 / (processes.length * steps.length);
        for (const [index, found] of tallies.entries())
          for (const step of steps) note(`${names[index]!} killed while ${step}`, step, found, seconds);
      }
      expect(tallies).toEqual(scenarios.map(() => whole));
      await end();
    },
  );

  test('nothing else was raised, and every number of an order was used once', async () => {
    const orders = await desk.orders();
    const numbers = orders.map(({ number }) => Number(number.split('-')[1])).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: ROUNDS * quick.length }, (_, index) => index + 1));
    const rules = new Set((await desk.faults()).map(({ rule }) => rule));
    expect(rules).toEqual(new Set(scenarios.map(({ rule }) => rule)));
  });

  /** Ends the episodes of a round; their orders are cancelled and have heard that the fault is over. */
  async function end(): Promise<void> {
    for (const { name } of scenarios) await desk.play(name, false);
    await until(
      async () => (await desk.faults()).every(({ state }) => state === 'cleared'),
      PATIENCE_MS,
      'the faults of the round are over',
    );
    for (const { id } of (await desk.orders()).filter(({ state }) => state === 'dispatched')) {
      const told = async () => (await desk.order(id)).history.filter(({ what }) => what === 'fault_cleared');
      await until(async () => (await told()).length > 0, PATIENCE_MS, `${id} hears that its fault is over`);
      expect(await told()).toHaveLength(1);
      await desk.cancel(await desk.order(id));
    }
  }
});

/** What a kill at a step can cost: the fault itself, its order, or the word to the supervisor. */
const costs: Readonly<Record<Step, readonly (keyof Tally)[]>> = {
  pending: ['faults'],
  ordering: ['orders', 'created', 'dispatched'],
  escalating: ['escalated'],
};

function note(id: string, step: Step, found: Tally, seconds: number): void {
  const one = cases.get(id)!;
  const counts = costs[step].map((what) => found[what]);
  one.attempts += 1;
  one.seconds = Math.round((one.seconds + seconds) * 10) / 10;
  one.lost += Math.max(0, 1 - Math.min(...counts));
  one.duplicates += Math.max(0, Math.max(...counts) - 1);
}

import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault, WorkOrder } from '@parkline/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from '../../deploy/local/postgres.ts';
import { type FaultDesk, openFaultDesk, type Scenario } from '../support/fault-desk.ts';
import { beginUnderKills, escalateUnderKills, type Plan, tally } from '../support/kill-round.ts';
import { type RunningPark, startPark, until } from '../support/park.ts';
import { openCommandDesk } from './command-round.ts';

const demoPark = join(import.meta.dirname, '../../firmware-sim/parks/demo.yaml');
/**
 * Every 5 s a word of every point: a frozen sensor is proved by words that repeat, and at the pace of the templates that
 * takes a quarter of an hour.
 */
const pace = 'poll: { everyMs: 5000, heartbeatMs: 30000 }';
/** Shorter than where nothing is set, so that all of it fits into a test; long enough for what a busy machine misses, s. */
const holdsFor: Readonly<Record<string, number>> = {
  ...{ 'sensor-frozen': 60, 'ahu-cooling-valve-stuck': 15, 'ahu-supply-fan-fails': 10 },
  ...{ 'elevator-between-floors': 8, 'gate-forced': 6, 'water-leak': 6 },
};
const QUIET_MS = 15_000;
/** Limit between a fault and its order, ms. */
const ORDER_WITHIN_MS = 10_000;
const PATIENCE_MS = 180_000;

describe('the demo park, where everything happens at once', () => {
  let file: string;
  let park: RunningPark;
  let desk: FaultDesk;
  let faults: Fault[];
  let orders: WorkOrder[];

  beforeAll(async () => {
    file = join(tmpdir(), `parkline-scenarios-${process.pid}.yaml`);
    await writeFile(file, `${readFileSync(demoPark, 'utf8')}\n${pace}\n`);
    park = await startPark({ park: file, args: ['--report-every', '--history-months', '0'] });
    desk = await openFaultDesk(park);
    for (const [rule, forS] of Object.entries(holdsFor)) await desk.tune(rule, forS);
    await desk.acceptWithin(1);
  }, 300_000);
  afterAll(async () => {
    await park?.stop();
    await rm(file, { force: true });
  });

  const faultOf = ({ rule, equipmentId }: Scenario): Fault | undefined =>
    faults.find((one) => one.rule === rule && one.equipmentId === equipmentId);
  const orderOf = (scenario: Scenario): WorkOrder | undefined =>
    orders.find(({ faultId }) => faultId === faultOf(scenario)?.id);
  const named = (name: string): Scenario => desk.scenarios.find((one) => one.name === name)!;
  const look = async () => {
    [faults, orders] = [await desk.faults(), await desk.orders()];
  };

  test('raises no fault while nothing is wrong', async () => {
    await until(() => everyDeviceAnswers(park), 60_000, 'every device answers');
    const quietUntil = Date.now() + QUIET_MS;
    await until(
      async () => {
        expect(await desk.faults()).toEqual([]);
        return Date.now() >= quietUntil;
      },
      QUIET_MS + PATIENCE_MS,
      'it was quiet for a while',
    );
    expect(desk.scenarios).toHaveLength(9);
  });

  test('raises exactly the fault that each scenario means, and one order for somebody who can do it', async () => {
    for (const { name } of desk.scenarios) await desk.play(name, true);
    await until(
      async () => {
        await look();
        await acceptAllBut(['device-offline', 'meter-silent']);
        return desk.scenarios.every((scenario) => orderOf(scenario));
      },
      PATIENCE_MS,
      'every scenario has its fault and its order',
    );
    await look();

    const alone = faults.filter(({ causeId }) => causeId === null);
    expect(alone.map(({ rule, equipmentId }) => `${rule} @ ${equipmentId}`).sort()).toEqual(
      desk.scenarios.map(({ rule, equipmentId }) => `${rule} @ ${equipmentId}`).sort(),
    );
    expect(orders.map(({ faultId }) => faultId).sort()).toEqual(alone.map(({ id }) => id).sort());
    const technicians = await desk.technicians();
    for (const fault of alone) {
      const order = orders.find(({ faultId }) => faultId === fault.id)!;
      const took = Date.parse(order.createdAt) - Date.parse(fault.openedAt);
      expect([fault.rule, took >= 0 && took <= ORDER_WITHIN_MS]).toEqual([fault.rule, true]);
      const { skills } = technicians.find(({ id }) => id === order.technician?.id)!;
      expect(skills, fault.rule).toContain(desk.rules.get(fault.rule)!.skill);
      expect(order.dispatchReason, fault.rule).not.toBe('');
    }
  });

  test('tells the supervisor once of orders that nobody accepted, though the worker and the API are killed just then', async () => {
    const waiting = ['device-offline', 'meter-silent'].map(named).map((scenario) => orderOf(scenario)!);
    await escalateUnderKills({ park, desk }, waiting, ['worker', 'api']);
    for (const scenario of ['device-offline', 'meter-silent'].map(named))
      expect([scenario.name, await tally(desk, scenario, 0)]).toEqual([
        scenario.name,
        { faults: 1, orders: 1, created: 1, dispatched: 1, escalated: 1 },
      ]);
    for (const scenario of desk.scenarios) {
      const order = await desk.order(orderOf(scenario)!.id);
      const isWaiting = waiting.some(({ id }) => id === order.id);
      expect([scenario.name, order.escalatedAt !== null]).toEqual([scenario.name, isWaiting]);
    }
  });

  test('makes one order of each fault, though every process is killed while it opens', async () => {
    const plans: readonly Plan[] = [
      { scenario: named('gate-forced'), kills: { pending: 'ingest', ordering: 'api' } },
      { scenario: named('leak'), kills: { ordering: 'worker' } },
    ];
    // All that happens ends here; only these two begin again, and are waited for.
    for (const { name } of desk.scenarios) await desk.play(name, false);
    await end(plans.map(({ scenario }) => scenario));
    const since = Date.now();
    const made = await beginUnderKills({ park, desk }, plans);
    for (const order of made) await desk.accept(order);
    for (const { scenario } of plans)
      expect([scenario.name, await tally(desk, scenario, since)]).toEqual([
        scenario.name,
        { faults: 1, orders: 1, created: 1, dispatched: 1, escalated: 0 },
      ]);
  });

  test('is well again when everything has ended, and the orders say so', async () => {
    await end(desk.scenarios);
    await until(
      async () => (await desk.faults()).every(({ state }) => state === 'cleared'),
      PATIENCE_MS,
      'no fault is open',
    );
    for (const { id, faultId } of await desk.orders()) {
      await until(
        async () => (await desk.order(id)).history.some(({ what }) => what === 'fault_cleared'),
        PATIENCE_MS,
        `the order of ${faultId} says that its fault is over`,
      );
      const { state, history } = await desk.order(id);
      expect([state === 'done', history.filter(({ what }) => what === 'fault_cleared').length]).toEqual([
        false,
        1,
      ]);
    }
    const ended = (await desk.faults()).map(({ rule, clearedWhy }) => `${rule}: ${clearedWhy}`);
    expect(ended).toContain('meter-stepped-back: acknowledged');
    expect(ended.filter((text) => !text.endsWith('recovered'))).toHaveLength(1);
  });

  test('writes a setpoint from afar, reads it back, gives it back in time, and moves a gate only for two people', async () => {
    const commands = await openCommandDesk(park);
    const setpoint = await commands.point('ahu', 'supply_air_temperature_setpoint');
    const value = setpoint.value === 17.5 ? 18 : 17.5;
    const { id } = await commands.send(setpoint, { value, holdS: 5 });
    const done = await commands.until(id, 'done');
    expect(done.command).toMatchObject({ before: setpoint.value, after: value });
    process.stdout.write(`command: in the audit ${done.auditedAfterMs} ms after the wish\n`);
    expect(done.auditedAfterMs).toBeLessThan(10_000); // 2 s where nothing else runs.
    const released = await commands.until(id, 'released');
    expect(released.actions).toEqual(['requested', 'sent', 'result.done', 'result.released']);

    const gate = await commands.point('gate', 'barrier_open');
    const order = await commands.send(gate, { value: gate.value === 1 ? 0 : 1, holdS: 5 });
    expect(order.state).toBe('awaiting_approval');
    expect((await commands.approve(order.id, 'facility_engineer')).status).toBe(403);
    expect((await commands.approve(order.id, 'supervisor')).status).toBe(200);
    const moved = await commands.until(order.id, 'done');
    expect(moved.actions.slice(0, 5)).toEqual([
      'requested',
      'refused', // Who may not approve leaves a trace too.
      'approved',
      'sent',
      'result.done',
    ]);
  });

  /** Somebody takes an order as soon as it is there, so that it never goes to the supervisor. */
  async function acceptAllBut(names: readonly string[]): Promise<void> {
    for (const scenario of desk.scenarios.filter(({ name }) => !names.includes(name))) {
      const order = orderOf(scenario);
      if (order?.state === 'dispatched') await desk.accept(order);
    }
  }

  /** Ends scenarios and waits until their faults are over. What happened once is over when somebody took note of it. */
  async function end(scenarios: readonly Scenario[]): Promise<void> {
    for (const { name } of scenarios) await desk.play(name, false);
    const isMeant = ({ rule, equipmentId }: Fault): boolean =>
      scenarios.some((one) => one.rule === rule && one.equipmentId === equipmentId);
    for (const fault of await desk.faults())
      if (isMeant(fault) && fault.endsByAcknowledging) await desk.acknowledge(fault);
    await until(
      async () => (await desk.faults()).filter(isMeant).every(({ state }) => state === 'cleared'),
      PATIENCE_MS,
      `${scenarios.map(({ name }) => name).join(', ')}: the faults are over`,
    );
  }
});

async function everyDeviceAnswers({ run }: RunningPark): Promise<boolean> {
  const [row] = await query<{ all: string; ok: string }>(
    run.database,
    `select (select count(*) from equipment) as all,
            (select count(*) from device_status where state = 'online') as ok`,
  );
  return row!.all === row!.ok;
}

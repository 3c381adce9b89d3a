import type { TestProject } from 'vitest/node';
import { query } from '../../deploy/local/postgres.ts';
import type { RunFile } from '../../deploy/local/run-file.ts';
import { ask } from '../../firmware-sim/src/cli/control-client.ts';
import { CONTROL, readPorts } from '../../firmware-sim/src/ports.ts';
import { type RunningPark, startPark, until } from './park.ts';

/** The running demo park as test files know it. */
export interface DemoPark {
  readonly home: string;
  readonly run: RunFile;
}

declare module 'vitest' {
  export interface ProvidedContext {
    demoPark: DemoPark;
  }
}

let park: RunningPark | undefined;

/**
 * One demo park with two months of history for all test files of a project, two of which run at once:
 * each plays scenarios of its own, and leaves the park as it found it.
 */
export async function setup(project: TestProject): Promise<void> {
  park = await startPark({
    park: 'firmware-sim/parks/demo.yaml',
    args: ['--history-months', '2'],
    env: { OIDC_ALLOW_HOSTS: '127.0.0.1' },
  });
  project.provide('demoPark', { home: park.home, run: park.run });
}

export async function teardown(): Promise<void> {
  await park?.stop();
}

/** Begins or ends a scenario, as `parkline sim` does. */
export async function play({ home }: DemoPark, name: string, on: boolean): Promise<void> {
  const control = readPorts(`${home}/simulator/ports.json`)[CONTROL];
  if (!control) throw new Error(`the simulator of ${home} has no control port`);
  await ask(control, { do: 'scenario', name, on });
}

/** An open fault with its order. */
export interface Trouble {
  readonly faultId: string;
  readonly equipmentId: string;
  readonly orderId: string;
  /** Login name of who has the order. */
  readonly technician: string;
}

/** Begins a scenario and waits until its fault has an order that somebody has. @returns the open fault of `rule`. */
export async function makeTrouble(park: DemoPark, name: string, rule: string): Promise<Trouble> {
  await play(park, name, true);
  const sql = `
    select f.id as "faultId", f.equipment_id as "equipmentId", o.id as "orderId", p.login as technician
    from fault f join work_order o on o.fault_id = f.id join person p on p.id = o.technician_id
    where f.rule = $1 and f.cleared_at is null`;
  let found: Trouble | undefined;
  const isThere = async (): Promise<boolean> => {
    [found] = await query<Trouble & object>(park.run.database, sql, [rule]);
    return found !== undefined;
  };
  await until(isThere, 90_000, `${name} has made a fault and an order`);
  return found!;
}

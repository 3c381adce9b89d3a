import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultRule, Me, Technician, WorkOrder, WorkOrderDetail } from '@parkline/contract';
import { query } from '../../deploy/local/postgres.ts';
import type { RunFile, RunUser } from '../../deploy/local/run-file.ts';
import { ask } from '../../firmware-sim/src/cli/control-client.ts';
import { CONTROL, readPorts } from '../../firmware-sim/src/ports.ts';
import { cookieOf, headersOf, type RunningPark } from './park.ts';

/** Longest time that a killed API may be away, ms. */
const AWAY_MS = 60_000;

/** A person at the API. */
export interface Person {
  get<T>(path: string): Promise<T>;
  send<T>(method: 'POST', path: string, body?: object): Promise<T>;
  /** Changes what stands there now. */
  put(path: string, body: object): Promise<void>;
}

/** What can happen in the park, and the fault that it must raise. */
export interface Scenario {
  readonly name: string;
  readonly rule: string;
  readonly device: string;
  readonly equipmentId: string;
}

/** Everything a person does about faults and orders of a running park, and what makes them happen. */
export interface FaultDesk {
  readonly scenarios: readonly Scenario[];
  readonly rules: ReadonlyMap<string, FaultRule>;
  /** Every episode, consequences too. */
  faults(): Promise<Fault[]>;
  orders(): Promise<WorkOrder[]>;
  order(id: string): Promise<WorkOrderDetail>;
  technicians(): Promise<Technician[]>;
  /** Begins or ends a scenario. */
  play(name: string, on: boolean): Promise<void>;
  /** Sets how long a condition must hold before its fault opens, s. */
  tune(rule: string, forS: number): Promise<void>;
  acceptWithin(minutes: number): Promise<void>;
  /** In the name of the technician who has it. */
  accept(order: WorkOrder): Promise<void>;
  /** Gives it to the same technician once more: the time to accept starts anew. */
  dispatchAgain(order: WorkOrder): Promise<void>;
  cancel(order: WorkOrder): Promise<void>;
  acknowledge(fault: Fault): Promise<void>;
  /** Whether a rule has begun to count for this device and has not decided yet. */
  isPending(scenario: Scenario): Promise<boolean>;
}

export async function openFaultDesk({ run, home }: RunningPark): Promise<FaultDesk> {
  const userOf = (role: string): RunUser =>
    run.users.find((one) => one.role === role && one.account === undefined)!;
  const [engineer, supervisor] = await Promise.all(
    ['facility_engineer', 'supervisor'].map((role) => signIn(run, userOf(role))),
  );
  if (!engineer || !supervisor) throw new Error('the park has no engineer or no supervisor');
  const control = readPorts(`${home}/simulator/ports.json`)[CONTROL]!;
  const rules = new Map(
    (await engineer.get<List<FaultRule>>('/api/fault-rules')).items.map((r) => [r.key, r]),
  );
  const technicians = await signInTechnicians(run);

  return {
    scenarios: await readScenarios(run, control),
    rules,
    faults: async () => (await engineer.get<List<Fault>>('/api/faults?all=true&limit=500')).items,
    orders: async () => (await supervisor.get<List<WorkOrder>>('/api/work-orders?limit=500')).items,
    order: (id) => supervisor.get(`/api/work-orders/${id}`),
    technicians: async () => (await supervisor.get<List<Technician>>('/api/technicians')).items,
    async play(name, on) {
      await ask(control, { do: 'scenario', name, on });
    },
    async tune(rule, forS) {
      const { enabled, limit } = rules.get(rule)!;
      await engineer.put(`/api/fault-rules/${rule}`, { enabled, limit, forS });
    },
    async acceptWithin(acceptWithinMin) {
      await supervisor.put('/api/work-order-settings', { acceptWithinMin });
    },
    async accept({ id, version, technician }) {
      await technicians.get(technician!.id)!.send('POST', `/api/work-orders/${id}/accept`, { version });
    },
    async dispatchAgain({ id, version, technician }) {
      const body = { version, technicianId: technician!.id };
      await supervisor.send('POST', `/api/work-orders/${id}/dispatch`, body);
    },
    async cancel({ id, version }) {
      await supervisor.send('POST', `/api/work-orders/${id}/cancel`, { version, note: 'it was a test' });
    },
    async acknowledge({ id }) {
      await engineer.send('POST', `/api/faults/${id}/acknowledge`);
    },
    async isPending({ rule, equipmentId }) {
      const sql = `select from fault_state where rule = $1 and subject_id = $2 and phase = 'pending'`;
      return (await query(run.database, sql, [rule, equipmentId])).length > 0;
    },
  };
}

interface List<T> {
  readonly items: T[];
}

/** A login whose reading waits for an API that was killed; what changes something is sent once. */
async function signIn(run: RunFile, user: RunUser): Promise<Person> {
  const cookie = await cookieOf(run, user);
  const read = async <T>(path: string) =>
    answerOf<T>(await patient(() => fetch(run.url + path, { headers: { cookie } })));
  const send = async <T>(method: string, path: string, body?: object, more: Record<string, string> = {}) =>
    answerOf<T>(
      await fetch(run.url + path, {
        method,
        headers: { ...headersOf(cookie), ...more, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
  return {
    get: read,
    send,
    put: async (path, body) => {
      const { version } = await read<{ version: number }>(path);
      await send('PUT', path, body, { 'if-match': `"${version}"` });
    },
  };
}

async function answerOf<T>(reply: Response): Promise<T> {
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${reply.url} answered ${reply.status}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function patient(attempt: () => Promise<Response>): Promise<Response> {
  const deadline = Date.now() + AWAY_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      // `fetch` throws where nobody answers; an answer of any status is one.
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

async function signInTechnicians(run: RunFile): Promise<ReadonlyMap<string, Person>> {
  const users = run.users.filter(({ role, account }) => role === 'technician' && account === undefined);
  const people = await Promise.all(users.map((user) => signIn(run, user)));
  const ids = await Promise.all(people.map((person) => person.get<Me>('/api/me')));
  return new Map(people.map((person, index) => [ids[index]!.id, person]));
}

interface ToldScenario {
  readonly name: string;
  readonly expects: { readonly rule: string; readonly device: string };
}

async function readScenarios(run: RunFile, control: Parameters<typeof ask>[0]): Promise<Scenario[]> {
  const { scenarios } = (await ask(control, { do: 'scenarios' })) as unknown as { scenarios: ToldScenario[] };
  const rows = await query<{ id: string; key: string }>(
    run.database,
    `select e.id, e.key from equipment e join account a on a.id = e.account_id where a.key = $1`,
    [run.account],
  );
  const idOf = new Map(rows.map(({ id, key }) => [key, id]));
  return scenarios.map(({ name, expects: { rule, device } }) => ({
    ...{ name, rule, device },
    equipmentId: idOf.get(device)!,
  }));
}

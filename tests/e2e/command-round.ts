import type { CommandView, Equipment, Point } from '@parkline/contract';
import { query } from '../../deploy/local/postgres.ts';
import { cookieOf, headersOf, type RunningPark, until } from '../support/park.ts';

/** What one order came to: its last state, its audit in order, and how long each took from the wish on, ms. */
export interface CommandRound {
  readonly command: CommandView;
  readonly actions: readonly string[];
  /** From the request to the result in the audit, by the database's clock. */
  readonly auditedAfterMs: number;
}

/** Orders as people of the park give them, through the API. */
export interface CommandDesk {
  /** The point of the device of this kind whose key it is. */
  point(kind: string, key: string): Promise<Point>;
  send(point: Point, body: { value: number | null; holdS?: number }): Promise<CommandView>;
  approve(id: string, role: string): Promise<Response>;
  /** Waits until the command is in this state. */
  until(id: string, state: CommandView['state']): Promise<CommandRound>;
}

const PATIENCE_MS = 90_000;

export async function openCommandDesk(park: RunningPark): Promise<CommandDesk> {
  const { run } = park;
  const cookies = new Map<string, string>();
  for (const role of ['facility_engineer', 'supervisor']) {
    const user = run.users.find((one) => one.role === role && one.account === undefined);
    cookies.set(role, await cookieOf(run, user!));
  }
  const call = (path: string, role = 'facility_engineer', body?: object): Promise<Response> =>
    fetch(run.url + path, {
      headers: { ...headersOf(cookies.get(role) ?? ''), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
  const items = async <T>(path: string): Promise<T[]> =>
    ((await (await call(path)).json()) as { items: T[] }).items;
  return {
    async point(kind, key) {
      const device = (await items<Equipment>('/api/equipment?limit=500')).find((one) => one.kind === kind);
      const point = (await items<Point>(`/api/points?equipment=${device?.id}&limit=500`)).find(
        (one) => one.key === key,
      );
      if (!point) throw new Error(`no ${kind} has a point ${key}`);
      return point;
    },
    async send(point, body) {
      const order = { ...body, reason: 'test of the whole chain' };
      const reply = await call(`/api/points/${point.id}/commands`, 'facility_engineer', order);
      if (reply.status !== 201) throw new Error(`refused: ${await reply.text()}`);
      return (await reply.json()) as CommandView;
    },
    approve: (id, role) =>
      fetch(`${run.url}/api/commands/${id}/approve`, {
        method: 'POST',
        headers: headersOf(cookies.get(role) ?? ''),
      }),
    async until(id, state) {
      let command: CommandView | undefined;
      const isThere = async (): Promise<boolean> => {
        command = (await (await call(`/api/commands/${id}`)).json()) as CommandView;
        return command.state === state;
      };
      await until(isThere, PATIENCE_MS, `command ${id} is ${state}`).catch((cause: unknown) => {
        throw new Error(`it is ${JSON.stringify(command)}`, { cause });
      });
      return { command: command!, ...(await auditOf(park, id)) };
    },
  };
}

async function auditOf({ run }: RunningPark, id: string): Promise<Omit<CommandRound, 'command'>> {
  const rows = await query<{ action: string; at: Date }>(
    run.database,
    `select substr(action, 9) as action, at from audit_event where subject_id = '${id}' order by seq`,
  );
  const wished = rows.find(({ action }) => action === 'approved' || action === 'requested');
  const told = rows.find(({ action }) => action.startsWith('result.'));
  return {
    actions: rows.map(({ action }) => action),
    auditedAfterMs: (told ? new Date(told.at).getTime() : Infinity) - new Date(wished?.at ?? 0).getTime(),
  };
}

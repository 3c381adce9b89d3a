import type { CommandView } from '@parkline/contract';
import { query } from '../../deploy/local/postgres.ts';
import type { DemoPark, Trouble } from '../support/demo-park.ts';
import { cookieOf, headersOf } from '../support/park.ts';

/** Paths, each with what shows that the page is drawn. */
export type Pages = readonly (readonly [path: string, drawn: string])[];

/** Ids by name: a device of each kind that has a schematic, the barrier of `gate`, a gateway, and a bill from the run to a line with intervals. */
export async function idsOf(park: DemoPark, gate: string): Promise<Readonly<Record<string, string>>> {
  const sql = `
    select e.key as name, e.id from equipment e join account a on a.id = e.account_id where a.key = $1
    union all (select 'barrier', p.id from point p join equipment e on e.id = p.equipment_id
               where e.key = $2 and p.key = 'barrier_open' limit 1)
    union all (select 'gateway', g.id from gateway g join account a on a.id = g.account_id where a.key = $1 limit 1)
    union all (select 'run', id from billing_run limit 1)
    union all (select 'statement', s.id from statement s join statement_line l on l.statement_id = s.id
               where l.kind = 'energy' order by l.id limit 1)
    union all (select 'line', id from statement_line where kind = 'energy' order by id limit 1)`;
  const rows = await query<{ name: string; id: string }>(park.run.database, sql, [park.run.account, gate]);
  return Object.fromEntries(rows.map(({ name, id }) => [name, id]));
}

/** Every page of the portal that the person of a login visits. */
export function pagesOf(
  { faultId, equipmentId, orderId, technician }: Trouble,
  id: Readonly<Record<string, string>>,
): Readonly<Record<string, Pages>> {
  return {
    engineer: [
      ['/engineer', 'svg .line'],
      [`/engineer?panel=gateway.${id['gateway']}`, 'aside .badge'],
      ['/engineer/devices', 'td [data-value]'],
      [`/engineer/devices/${id['a-main']}`, '.u-over'],
      [`/engineer/devices/${equipmentId}`, '.u-over'],
      ['/engineer/devices/none', 'h1'],
      ['/engineer/faults', 'tbody .badge'],
      [`/engineer/faults?panel=fault.${faultId}`, 'aside .badge'],
      ['/engineer/faults?state=cleared', 'h2'],
      ['/engineer/commands', 'li .badge'],
    ],
    supervisor: [
      ['/supervisor', 'article'],
      [`/supervisor?panel=order.${orderId}`, 'aside .badge'],
      ['/supervisor/people', 'td'],
      ['/supervisor/settings', 'form input'],
      ['/supervisor/commands', 'li .badge'],
    ],
    [technician]: [
      ['/technician', 'li h2'],
      [`/technician/orders/${orderId}`, 'ol h3'],
      ['/technician/done', 'h1'],
    ],
    installer: [
      ['/installer', 'ol li'],
      ['/installer/meters', 'li .badge'],
      [`/installer/meters/${id['a-main']}`, 'form input'],
    ],
    tenant: [
      ['/tenant', 'svg rect.bar'],
      ['/tenant/usage', 'svg rect.bar'],
    ],
    finance: [
      ['/finance', 'td'],
      [`/finance/runs/${id['run']}`, 'tfoot'],
      [`/finance/statements/${id['statement']}`, 'tfoot'],
      [`/finance/statements/${id['statement']}?panel=line.${id['line']}`, 'aside tbody td'],
    ],
  };
}

/** Asks for a barrier to open, which waits for a second person. @returns what takes it back. */
export async function askToOpen(park: DemoPark, pointId: string): Promise<() => Promise<unknown>> {
  const cookie = await cookieOf(
    park.run,
    park.run.users.find(({ login }) => login === 'engineer')!,
  );
  const post = async (path: string, body?: object): Promise<CommandView> => {
    const headers = { ...headersOf(cookie), ...(body && { 'content-type': 'application/json' }) };
    const init = { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) };
    const reply = await fetch(`${park.run.url}/api/${path}`, init);
    if (!reply.ok) throw new Error(`${path} answered ${reply.status}: ${await reply.text()}`);
    return (await reply.json()) as CommandView;
  };
  const { id } = await post(`points/${pointId}/commands`, { value: 1, reason: 'Delivery at the gate' });
  return () => post(`commands/${id}/cancel`);
}

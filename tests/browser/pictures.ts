// Takes the pictures of the documentation from a demo park that runs: node tests/browser/pictures.ts [PARKLINE_HOME]
// Let the park run for an hour before, so that the trends are full. It begins scenarios and ends them again.
import { join } from 'node:path';
import type { WorkOrderDetail } from '@parkline/contract';
import { query } from '../../deploy/local/postgres.ts';
import { readRunFile } from '../../deploy/local/run-file.ts';
import { launchBrowser } from '../support/browser.ts';
import { makeTrouble, play, type Trouble } from '../support/demo-park.ts';
import { cookieOf, headersOf } from '../support/park.ts';
import { type Look, visit } from './visitor.ts';

const root = join(import.meta.dirname, '../..');
const home = process.argv[2] ?? process.env['PARKLINE_HOME'] ?? join(root, '.parkline');
const run = await readRunFile(join(home, 'run.json'));
if (!run) throw new Error(`no park runs in ${home}`);
const park = { home, run };

const sql = `
  select e.key as name, e.id from equipment e join account a on a.id = e.account_id where a.key = $1
  union all (select 'setpoint', p.id from point p join equipment e on e.id = p.equipment_id
             where e.key = 'ahu-a-1' and p.key = 'supply_air_temperature_setpoint' limit 1)
  union all (select 'statement', s.id from statement s join statement_line l on l.statement_id = s.id
             where l.kind = 'energy' order by l.id limit 1)
  union all (select 'line', id from statement_line where kind = 'energy' order by id limit 1)`;
const rows = await query<{ name: string; id: string }>(run.database, sql, [run.account]);
const id = Object.fromEntries(rows.map(({ name, id }) => [name, id]));

const scenarios = [
  ['ahu-1-supply-fan-fails', 'ahu-supply-fan-fails'],
  ['elevator-between-floors', 'elevator-between-floors'],
  ['leak', 'water-leak'],
  ['gate-forced', 'gate-forced'],
] as const;
const troubles: Trouble[] = [];
for (const [name, rule] of scenarios) troubles.push(await makeTrouble(park, name, rule));
const [fan, elevator, , gate] = troubles as [Trouble, Trouble, Trouble, Trouble];

/** The technician does these steps of the order, so that the board shows more than one column. */
async function work({ orderId, technician }: Trouble, steps: readonly ('accept' | 'start')[]): Promise<void> {
  const cookie = await cookieOf(
    park.run,
    park.run.users.find(({ login }) => login === technician)!,
  );
  const url = `${park.run.url}/api/work-orders/${orderId}`;
  for (const step of steps) {
    const { version } = (await (await fetch(url, { headers: { cookie } })).json()) as WorkOrderDetail;
    const headers = { ...headersOf(cookie), 'content-type': 'application/json' };
    const body = JSON.stringify({ version });
    const reply = await fetch(`${url}/${step}`, { method: 'POST', headers, body });
    if (!reply.ok) throw new Error(`${step} answered ${reply.status}: ${await reply.text()}`);
  }
}
await work(elevator, ['accept', 'start']);
await work(gate, ['accept']);

interface Picture extends Look {
  readonly name: string;
  /** Whom it is taken as; the facility engineer where nothing is said. */
  readonly login?: string;
  readonly path: string;
  /** Selector of what is clicked before. */
  readonly press?: string;
  /** Selector of what is drawn last. */
  readonly drawn: string;
}
const desktop = { theme: 'light', size: 'desktop' } as const;
const phone = { theme: 'light', size: 'phone', scale: 2 } as const;
const main = `/engineer/devices/${id['a-main']}`;

const pictures: readonly Picture[] = [
  { name: 'portal-overview-en', path: '/engineer', drawn: 'svg .line', language: 'en', ...desktop },
  { name: 'portal-overview-zh', path: '/engineer', drawn: 'svg .line', language: 'zh-CN', ...desktop },
  {
    ...{ name: 'portal-devices-en', path: '/engineer/devices', drawn: 'td [data-value]' },
    ...{ language: 'en', ...desktop },
  },
  { name: 'portal-device-zh', path: main, drawn: '.u-over', language: 'zh-CN', ...desktop },
  {
    ...{ name: 'portal-device-dark-en', path: `${main}?range=month`, drawn: '.u-over' },
    ...{ language: 'en', ...desktop, theme: 'dark' },
  },
  {
    ...{ name: 'portal-ahu-en', path: `/engineer/devices/${id['ahu-b-1']}`, drawn: 'svg[role=group]' },
    ...{ language: 'en', ...desktop },
  },
  {
    ...{ name: 'portal-write-en', press: 'aside .value button', drawn: 'dialog form' },
    path: `/engineer/devices/${id['ahu-a-1']}?panel=point.${id['setpoint']}`,
    ...{ language: 'en', ...desktop },
  },
  {
    ...{
      name: 'portal-alarms-en',
      path: `/engineer/faults?panel=fault.${fan.faultId}`,
      drawn: 'aside .facts',
    },
    ...{ language: 'en', ...desktop },
  },
  {
    ...{ name: 'portal-board-en', login: 'supervisor', path: '/supervisor', drawn: '.board article' },
    ...{ language: 'en', ...desktop },
  },
  {
    ...{ name: 'portal-statement-en', login: 'finance', drawn: 'aside tbody td' },
    path: `/finance/statements/${id['statement']}?panel=line.${id['line']}`,
    ...{ language: 'en', ...desktop },
  },
  { name: 'portal-phone-overview-zh', path: '/engineer', drawn: 'svg .line', language: 'zh-CN', ...phone },
  {
    ...{ name: 'portal-phone-device-en', path: main, drawn: '.u-over' },
    ...{ language: 'en', ...phone, theme: 'dark' },
  },
  {
    ...{ name: 'portal-phone-order-en', login: elevator.technician, drawn: 'ol h3' },
    path: `/technician/orders/${elevator.orderId}`,
    ...{ language: 'en', ...phone },
  },
  {
    ...{ name: 'portal-phone-tenant-zh', login: 'tenant', path: '/tenant', drawn: 'svg rect.bar' },
    ...{ language: 'zh-CN', ...phone },
  },
];

const browser = await launchBrowser();
try {
  for (const { name, login, path, press, drawn, ...look } of pictures) {
    const guest = await visit(browser, run, look);
    const { page } = guest;
    await guest.login(login);
    await page.goto(path);
    if (press !== undefined) await page.locator(press).click();
    await page.locator(drawn).first().waitFor();
    // A value may be in the middle of its flash.
    await page.waitForTimeout(2_000);
    await page.screenshot({ path: join(root, 'docs/images', `${name}.png`) });
    process.stdout.write(`${name}.png\n`);
    await guest.close();
  }
} finally {
  await browser.close();
  for (const [name] of scenarios) await play(park, name, false);
}

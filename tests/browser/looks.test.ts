import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { en } from '../../dashboards/src/lib/i18n/en.ts';
import type { CommandView } from '@parkline/contract';
import { query } from '../../deploy/local/postgres.ts';
import { makeTrouble, play, type Trouble } from '../support/demo-park.ts';
import { cookieOf, headersOf } from '../support/park.ts';
import { receiveVisitors, soon } from './hall.ts';
import { languages, type Look, seriousFindings, sizes } from './visitor.ts';

const park = inject('demoPark');
const visitor = receiveVisitors(park.run);

/** Paths, each with what shows that the page is drawn. */
type Pages = readonly (readonly [path: string, drawn: string])[];
let trouble: Trouble;
/** Every page of the portal that the person of a login visits. */
let pages: Readonly<Record<string, Pages>>;
/** One device of each other kind that has a schematic. */
let schematics: Pages;
/** The page of a gate with its barrier open in the panel, which only two people together may move. */
let barrier: string;
/** Takes back the write that waits for a second person. */
let withdraw: () => Promise<unknown>;

beforeAll(async () => {
  trouble = await makeTrouble(park, 'elevator-between-floors', 'elevator-between-floors');
  const ids = await idsOf();
  withdraw = await askToOpen(ids['barrier']!);
  barrier = `/engineer/devices/${ids['gate-a-1']}?panel=point.${ids['barrier']}`;
  pages = pagesOf(trouble, ids);
  schematics = ['ahu-a-1', 'vav-a-1', 'chiller-a-1', 'gate-a-1', 'leak-a-1'].map((key) => [
    `/engineer/devices/${ids[key]}`,
    'svg[role=group]',
  ]);
}, 150_000);
afterAll(async () => {
  await withdraw();
  await play(park, 'elevator-between-floors', false);
});

/** Asks for a barrier to open, which waits for a second person. @returns what takes it back. */
async function askToOpen(pointId: string): Promise<() => Promise<unknown>> {
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

/** Ids by name: a device of each kind that has a schematic, a gateway, and a bill from the run to a line with intervals. */
async function idsOf(): Promise<Readonly<Record<string, string>>> {
  const sql = `
    select e.key as name, e.id from equipment e join account a on a.id = e.account_id where a.key = $1
    union all (select 'barrier', p.id from point p join equipment e on e.id = p.equipment_id
               where e.key = 'gate-a-1' and p.key = 'barrier_open' limit 1)
    union all (select 'gateway', g.id from gateway g join account a on a.id = g.account_id where a.key = $1 limit 1)
    union all (select 'run', id from billing_run limit 1)
    union all (select 'statement', s.id from statement s join statement_line l on l.statement_id = s.id
               where l.kind = 'energy' order by l.id limit 1)
    union all (select 'line', id from statement_line where kind = 'energy' order by id limit 1)`;
  const rows = await query<{ name: string; id: string }>(park.run.database, sql, [park.run.account]);
  return Object.fromEntries(rows.map(({ name, id }) => [name, id]));
}

function pagesOf(
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

const leavesOf = (node: unknown): string[] =>
  typeof node === 'string' ? [node] : Object.values(node as object).flatMap(leavesOf);
/** Whole sentences: single words such as names and units stand in both languages. */
const sentences = leavesOf(en).filter((text) => text.split(' ').length > 2 && !text.includes('{{'));
const nonsense = new RegExp(
  String.raw`\b(${Object.keys(en).join('|')})\.[a-z][A-Za-z_]+|\{\{|\bundefined\b|\bNaN\b|\[object `,
);

/** What a reader of this language finds in place of a translation, in what is seen and what is heard. */
async function untranslated(page: Page, language: Look['language']): Promise<string[]> {
  const told = await page.evaluate<string>(`[
    document.title, document.body.innerText,
    ...['aria-label', 'title', 'alt', 'placeholder'].flatMap((name) =>
      [...document.querySelectorAll('[' + name + ']')].map((node) => node.getAttribute(name))),
  ].join('\\n')`);
  const foreign = language === 'en' ? [] : sentences.filter((sentence) => told.includes(sentence));
  return [...(nonsense.exec(told) ?? []).slice(0, 1), ...foreign];
}

/** Whatever is wrong with what is on screen. */
async function faultsOf(page: Page, { language, size }: Look): Promise<string[]> {
  await page
    .locator('.skeleton')
    .first()
    .waitFor({ state: 'detached', ...soon });
  const words = await untranslated(page, language);
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  const wide = width > sizes[size].viewport.width ? [`${width} px wide`] : [];
  const lang = await page.locator('html').getAttribute('lang');
  return [
    ...words,
    ...wide,
    ...(lang === language ? [] : [`lang ${lang}`]),
    ...(await seriousFindings(page)),
  ];
}

/** @returns the pages where something is wrong, and what. */
async function walk(login: string, all: Pages, look: Look): Promise<[path: string, faults: string[]][]> {
  const { page } = await visitor(look, login);
  const faulty: [string, string[]][] = [];
  for (const [path, drawn] of all) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).first().waitFor(soon);
    await page
      .locator(drawn)
      .first()
      .waitFor({ state: 'attached', ...soon });
    const faults = await faultsOf(page, look);
    if (faults.length > 0) faulty.push([path, faults]);
  }
  return faulty;
}

describe('every page of every role', () => {
  const lights = languages.flatMap((language) =>
    (Object.keys(sizes) as Look['size'][]).map((size): Look => ({ language, theme: 'light', size })),
  );
  const darks: Look[] = [
    { language: 'en', theme: 'dark', size: 'desktop' },
    { language: 'zh-CN', theme: 'dark', size: 'phone' },
  ];

  /** Of the dark theme, the page where a role's day begins. */
  const pagesIn = ({ theme }: Look, login: string): Pages =>
    theme === 'dark' ? pages[login]!.slice(0, 1) : pages[login]!;

  test.each([...lights, ...darks])(
    'is whole for everybody in $language, $theme, $size',
    { timeout: 300_000 },
    async (look) => {
      // Two at a time: each keeps a core busy.
      const queue = Object.keys(pages);
      const found: [string, string[]][] = [];
      const next = async (): Promise<void> => {
        for (let login = queue.shift(); login; login = queue.shift())
          found.push(...(await walk(login, pagesIn(look, login), look)));
      };
      await Promise.all([next(), next()]);
      expect(found).toEqual([]);
    },
  );
});

test.each<Look>([
  { language: 'en', theme: 'dark', size: 'desktop' },
  { language: 'zh-CN', theme: 'light', size: 'phone' },
])(
  'every schematic is whole for everybody in $language, $theme, $size',
  { timeout: 240_000 },
  async (look) => {
    expect(await walk('engineer', schematics, look)).toEqual([]);
  },
);

describe('what opens over a page', () => {
  const looks = languages.map((language): Look => ({ language, theme: 'light', size: 'phone' }));

  test.each(looks)('is whole for everybody in $language', { timeout: 120_000 }, async (look) => {
    const { page, ...guest } = await visitor(look, null);
    await page.goto('/login');
    await page.getByRole('button').first().waitFor(soon);
    expect(['login', await faultsOf(page, look)]).toEqual(['login', []]);

    await guest.login('supervisor');
    await page.locator('article button[aria-haspopup=dialog]').nth(1).waitFor(soon);
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor(soon);
    expect(['shortcuts', await faultsOf(page, look)]).toEqual(['shortcuts', []]);
    await page.keyboard.press('Escape');

    await page.locator('article .act button').first().tap();
    await page.locator('dialog input[type=radio]').nth(2).waitFor(soon);
    expect(['assign', await faultsOf(page, look)]).toEqual(['assign', []]);
  });

  test.each(looks)(
    'lets a point be written by everybody in $language',
    { timeout: 120_000 },
    async (look) => {
      const { page } = await visitor(look);
      await page.goto(barrier);
      await page.locator('aside .value button').tap(soon);
      const form = page.locator('dialog form');
      await form.locator('input[type=radio]').first().waitFor(soon);
      expect(['write', await faultsOf(page, look)]).toEqual(['write', []]);
      await form.locator('button[type=submit]').tap();
      await form.locator('textarea[aria-invalid=true]').waitFor(soon);
      expect(['refused', await faultsOf(page, look)]).toEqual(['refused', []]);
      await page.keyboard.press('Escape');
      await form.waitFor({ state: 'detached', ...soon });
    },
  );
});

import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Role } from '@parkline/contract';
import type { Pool } from 'pg';
import type { BrowserContext } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { serveApi } from '../../cloud/src/testing-api.ts';
import { type FullAccount, givenFullAccount } from '../../cloud/src/testing.ts';
import { buildPortal } from '../../deploy/local/portal.ts';
import { launchBrowser } from '../support/browser.ts';
import { type Attack, tryAll } from './attempts.ts';

// Every text that the database can hold is a script, and every page of the portal is looked at by somebody who may.
const root = join(import.meta.dirname, '../..');
const database = await clonedDatabase();
const pool = database.pool();
const ours = await givenFullAccount(pool);
const { folder: portalDir } = await buildPortal(root);
const { app, url } = await serveApi(database, { portalDir });
const browser = await launchBrowser();
afterAll(async () => {
  await browser.close();
  await app.close();
});

/** Each calls `ran` where it is carried out, whichever way a page might print it. */
const scripts = [
  `<script>ran()</script>`,
  `<img src=x onerror=ran()>`,
  `"><svg onload=ran()>`,
  `'><details open ontoggle=ran()>`,
  `javascript:ran()`,
  `</title><script>ran()</script>`,
  `{{constructor.constructor('ran()')()}}`,
  '${ran()}',
  `<iframe srcdoc="<script>parent.ran()</script>">`,
  `<a href="javascript:ran()">x</a>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=ran()&gt;">`,
  `&lt;img src=x onerror=ran()&gt;`,
];

/** Columns whose words choose what the program does are not free texts: with them a page would show nothing at all. */
const chosen =
  /^(rule|template|protocol|bus|timezone|currency|task|kind|state|role|type|unit|commodity|skill|phase|quality|action|what|media_type|version|severity|language|key|login|issuer|nkey|tag|brick_class)$|hash|salt|sealed|token|public_key|jwt|pem|_key$|_kind$|_state$|sha256/;

/** Writes `script` into every free text and every name of every table; what a constraint refuses stays. @returns how many columns took it. */
async function poison(pool: Pool, script: string): Promise<number> {
  const { rows } = await pool.query<{ table: string; column: string; type: string }>(
    `select c.table_name as table, c.column_name as column, c.data_type as type
     from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
       and (c.data_type in ('text', 'character varying') or (c.data_type = 'jsonb' and c.column_name in ('name', 'title')))`,
  );
  let taken = 0;
  for (const { table, column, type } of rows.filter((one) => !chosen.test(one.column))) {
    const value = type === 'jsonb' ? JSON.stringify({ en: script, zh: script }) : script;
    try {
      await pool.query(`update ${table} set ${column} = $1`, [value]);
      taken += 1;
    } catch {
      // Unique, too long or of a fixed form: it cannot be planted there.
    }
  }
  return taken;
}

const pages = globSync('**/+page.svelte', { cwd: join(root, 'dashboards/src/routes') })
  .map((file) => `/${dirname(file)}`.replace(/\/\.$/, '/'))
  .toSorted();

/** The object that a page with an id is about. */
const ids: Readonly<Record<string, string>> = {
  '/engineer/devices/[id]': '/api/equipment',
  '/finance/runs/[id]': '/api/billing-runs',
  '/finance/statements/[id]': '/api/statements',
  '/technician/orders/[id]': '/api/work-orders',
};
const guessed = (page: string): string => `/api/${page.split('/').at(-2) ?? ''}`;

const roleOf = (page: string): Role | undefined => {
  const [, area = ''] = page.split('/');
  const byArea: Readonly<Record<string, Role>> = {
    ...{
      engineer: 'facility_engineer',
      supervisor: 'supervisor',
      technician: 'technician',
      tenant: 'tenant_admin',
    },
    ...{ finance: 'finance_officer', leasing: 'leasing_officer', installer: 'installer', guard: 'guard' },
    ...{ executive: 'executive', admin: 'account_admin', me: 'account_admin' },
  };
  return byArea[area];
};

interface Seen {
  ran: number;
  refused: string[];
  shown: number;
}

async function visitorOf(role: Role | undefined, seen: Seen): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL: url, locale: 'en-GB' });
  if (role) {
    const { cookie, 'x-csrf-token': token } = ours.as[role];
    const [name = '', value = ''] = cookie.split('=');
    await context.addCookies([
      { name, value, url },
      { name: 'parkline_csrf', value: token, url },
    ]);
  }
  await context.exposeFunction('ran', () => void (seen.ran += 1));
  await context.exposeFunction('refused', (what: string) => void seen.refused.push(what));
  await context.addInitScript(
    `document.addEventListener('securitypolicyviolation', (e) => window.refused(e.violatedDirective + ' ' + e.blockedURI));`,
  );
  return context;
}

async function look(page: string, account: FullAccount, script: string): Promise<Seen> {
  const seen: Seen = { ran: 0, refused: [], shown: 0 };
  const context = await visitorOf(roleOf(page), seen);
  try {
    const tab = await context.newPage();
    await tab.goto(
      page.replace(/\[\w+\]/g, account.ids[ids[page] ?? guessed(page)] ?? account.ids['/api/gateways']!),
    );
    // Live streams never end: what was loaded within this has been drawn.
    await tab.waitForTimeout(700);
    for (const fold of await tab.locator('details:not([open]) > summary').all())
      await fold.click({ timeout: 500 }).catch(() => undefined);
    seen.shown = (await tab.locator('body').innerText()).includes(script) ? 1 : 0;
    await tab.waitForTimeout(100);
    return seen;
  } finally {
    await context.close();
  }
}

let shown = 0;
const attacks: Attack[] = scripts.map((script, turn) => ({
  attack: `${script} as every name and text`,
  expected: 'shown as it is',
  run: async () => {
    if ((await poison(pool, script)) < 20) return 'it could not be planted';
    // All pages with the first, which most pages would fall for; a turn of them with each other.
    const some = pages.filter((_page, i) => turn < 2 || i % scripts.length === turn);
    for (const page of some) {
      const seen = await look(page, ours, script);
      shown += seen.shown;
      if (seen.ran > 0) return `it ran on ${page}`;
      if (seen.refused.length > 0) return `only the policy stopped it on ${page}: ${seen.refused[0]}`;
    }
    return 'shown as it is';
  },
}));

test('no text of anybody runs in the browser of somebody else', async (context) => {
  expect(await tryAll(context, 'scripts', attacks)).toEqual([]);
  expect(shown).toBeGreaterThan(10); // They were there to be run.
}, 600_000);

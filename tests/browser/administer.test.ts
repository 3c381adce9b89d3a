import { generateKeyPairSync } from 'node:crypto';
import { createUser } from '@nats-io/nkeys';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { query } from '../../deploy/local/postgres.ts';
import { receiveVisitors, soon } from './hall.ts';
import { type Look, seriousFindings } from './visitor.ts';

const { run } = inject('demoPark');
const visitor = receiveVisitors(run);
const sql = <T extends object>(text: string, ...values: unknown[]) => query<T>(run.database, text, values);
const [account] = await sql<{ id: string }>('select id from account where key = $1', run.account);
const [building] = await sql<{ id: string }>(
  'select id from building where account_id = $1 order by key limit 1',
  account!.id,
);
const [lessee] = await sql<{ id: string }>(
  `select t.id from tenant t join lease l on l.tenant_id = t.id where t.account_id = $1 limit 1`,
  account!.id,
);

// The park is left as it was found.
afterAll(async () => {
  await sql(`delete from space_area where space_id in (select id from space where key like 'browser-%')`);
  await sql(`delete from space where key like 'browser-%'`);
  await sql(`delete from floor where key like 'browser-%'`);
  const ours = `gateway_id in (select id from gateway where key like 'browser-%')`;
  await sql(`delete from gateway_credential where ${ours}`);
  await sql(`delete from claim_code where ${ours}`);
  await sql(`delete from gateway where key like 'browser-%'`);
});

/** Fills the form of a panel in and sends it. */
async function fill(page: Page, values: Readonly<Record<string, string>>, send: string): Promise<void> {
  const panel = page.locator('aside');
  for (const [label, value] of Object.entries(values)) await panel.getByLabel(label).fill(value);
  await panel.getByRole('button', { name: send, exact: true }).click();
}

test('a floor and a space are added, and an edit that comes second shows what came first', async () => {
  const { page, expectRefusal } = await visitor(undefined, 'admin');
  await page.goto(`/admin/places?add=floors&in=${building!.id}`);
  const named = (en: string) => ({ 'Name (Chinese)': '试验', 'Name (English)': en, Key: `browser-${en}` });
  await fill(page, { ...named('floor'), Level: '77' }, 'Add');
  await page.getByRole('link', { name: 'Add a space' }).click(soon);
  await page.waitForURL(/add=spaces/, soon);
  await fill(page, { ...named('space'), 'Area (m²)': '12.5' }, 'Add');
  await page.waitForURL(/edit=spaces/, soon);
  const made = await sql(
    `select f.level, a.area_m2::float8 as area from space s join floor f on f.id = s.floor_id
     join space_area a on a.space_id = s.id where s.key = 'browser-space' and f.key = 'browser-floor'`,
  );
  expect(made).toEqual([{ level: 77, area: 12.5 }]);

  expectRefusal(409);
  await page.locator('aside').getByRole('button', { name: 'Save', exact: true }).waitFor(soon);
  await sql(
    `update space set name = '{"en": "Theirs first", "zh": "试验"}', version = version + 1 where key = 'browser-space'`,
  );
  await fill(page, { 'Name (English)': 'Mine second' }, 'Save');
  const dialog = page.getByRole('dialog', { name: 'Somebody else saved first' });
  await dialog.getByRole('cell', { name: 'Theirs first' }).waitFor(soon);
  expect(await dialog.getByRole('cell', { name: 'Mine second' }).count()).toBe(1);
  await dialog.getByRole('button', { name: 'Keep mine' }).click();
  // The dialog is gone before the server has answered.
  const name = () => sql<{ en: string }>(`select name->>'en' as en from space where key = 'browser-space'`);
  await expect.poll(name, soon).toEqual([{ en: 'Mine second' }]);
});

test('a gateway gets a code that is shown once, and is thrown out by its name', async () => {
  const { page } = await visitor(undefined, 'admin');
  await page.goto('/admin/gateways');
  await page.getByRole('button', { name: 'Add gateway' }).click(soon);
  const form = page.getByRole('dialog', { name: 'Add gateway' });
  await form.getByLabel('Key').fill('browser-gateway');
  await form.getByLabel('Name in English').fill('Spare gateway');
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await page.waitForURL(/gateways\/.+/, soon);
  const id = page.url().split('/').at(-1)!;
  await page.getByRole('button', { name: 'Make code' }).click(soon);
  const code = page.getByRole('dialog', { name: 'Claim code' });
  expect(await code.locator('p.code code').textContent(soon)).toMatch(/^[A-Z0-9-]{10,}$/);
  await page.keyboard.press('Escape');
  await page.getByText('Open', { exact: true }).waitFor(soon);

  // As if it had been claimed: with keys of its own, which no other test needs.
  const pem = (type: 'ed25519' | 'ec') =>
    (type === 'ed25519'
      ? generateKeyPairSync(type)
      : generateKeyPairSync(type, { namedCurve: 'P-256' })
    ).publicKey
      .export({ type: 'spki', format: 'pem' })
      .toString();
  await sql(
    `insert into gateway_credential (id, account_id, gateway_id, nkey, signing_key, tls_key, created_at)
     values (gen_random_uuid(), $1, $2, $3, $4, $5, now())`,
    ...[account!.id, id, createUser().getPublicKey(), pem('ed25519'), pem('ec')],
  );
  // It is away: that it is asked for new keys stands there until it is thrown out.
  await page.getByRole('button', { name: 'Change keys' }).click(soon);
  const asked = page.getByText(/Asked for new keys on .+ until /);
  await asked.waitFor(soon);
  expect(await page.getByRole('button', { name: 'Change keys' }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Revoke', exact: true }).click(soon);
  const ask = page.getByRole('dialog', { name: 'Revoke this gateway' });
  const doIt = ask.getByRole('button', { name: 'Revoke' });
  await ask.getByLabel(/Type its name/).fill('Spare');
  expect(await doIt.isDisabled()).toBe(true);
  await ask.getByLabel(/Type its name/).fill('Spare gateway');
  await doIt.click();
  await page.getByText(/Revoked .*comes back with a new code/).waitFor(soon);
  expect(await asked.count()).toBe(0);
});

const looks: Look[] = [
  { language: 'zh-CN', size: 'desktop', theme: 'dark' },
  { language: 'en', size: 'phone', theme: 'light' },
];
describe.each(looks)('$language $size $theme', (look) => {
  test('the pages of an administrator are drawn and accessible, the log of a gateway among them', async () => {
    const { page } = await visitor(look, 'admin');
    // The tree of places on a wide screen, the table of buses on a narrow one, a tenant with its leases and a gateway on both.
    const pages: [path: string, drawn: string][] = [
      [`/admin/places?edit=buildings&id=${building!.id}`, 'aside form button[type=submit]'],
      ['/admin/things/buses', 'tbody td'],
      [`/leasing/tenants?open=${lessee!.id}`, 'aside li a'],
      [`/admin/gateways/${run.gateways[0]!.id}`, 'section ol li.done'],
    ];
    const findings: string[] = [];
    const lookAt = async (path: string) => {
      const wide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth + 1');
      if (wide) findings.push(`${path} is wider than the screen`);
      findings.push(...(await seriousFindings(page)));
    };
    for (const [path, drawn] of pages.filter((_page, i) => i !== (look.size === 'phone' ? 0 : 1))) {
      await page.goto(path);
      await page.locator(drawn).first().waitFor(soon);
      await lookAt(path);
    }
    await page.locator('main section').last().getByRole('button').last().click();
    await page.locator('.lines tbody tr').first().waitFor(soon);
    await lookAt('the log');
    if (process.env['PARKLINE_SHOTS'])
      await page.screenshot({
        path: `${process.env['PARKLINE_SHOTS']}/log-${look.language}-${look.size}.png`,
        fullPage: true,
      });
    expect(findings).toEqual([]);
  });
});

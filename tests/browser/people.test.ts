import type { Page } from 'playwright-core';
import { afterAll, expect, inject, test } from 'vitest';
import { en } from '../../dashboards/src/lib/i18n/en.ts';
import { zhCN } from '../../dashboards/src/lib/i18n/zh-CN.ts';
import { query } from '../../deploy/local/postgres.ts';
import { startIdentityProvider } from '../support/oidc.ts';
import { english, receiveVisitors, soon } from './hall.ts';
import { type Look, seriousFindings } from './visitor.ts';

const { home, run } = inject('demoPark');
const visitor = receiveVisitors(run);
const words = en.people;
const fill = (text: string, facts: Readonly<Record<string, string>>) =>
  text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => facts[name] ?? '');

/** Nobody else in the park has these names. */
const mark = Date.now().toString(36);
const sun = { login: `sun-${mark}`, name: `Sun Yu ${mark}`, password: 'seven quiet pumps' };
const guest = { email: `guest-${mark}@example.org`, name: `Guest ${mark}` };
afterAll(async () => {
  await query(run.database, 'delete from person where login = $1', [sun.login]);
  await query(run.database, 'delete from invitation where email = $1', [guest.email]);
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
/** Answers the question that a button asked. */
async function confirm(page: Page, title: string, word: string) {
  const asked = page.getByRole('dialog', { name: title });
  await asked.getByRole('button', { name: word, exact: true }).click(soon);
  await asked.waitFor({ ...soon, state: 'detached' });
}

async function invite(page: Page) {
  await button(page, words.invite).click(soon);
  const form = page.getByRole('dialog', { name: words.inviteTitle });
  await form.getByText(fill(words.mailKept, { folder: `${home}/mails` })).waitFor(soon);
  await form.getByLabel(words.email).fill(guest.email);
  await form.getByLabel(words.name, { exact: true }).fill(guest.name);
  await button(page, words.invite).last().click();
  await page.getByRole('rowheader', { name: guest.name }).waitFor(soon);
  await button(page, fill(words.revokeOf, guest)).click();
  await confirm(page, fill(words.revokeTitle, guest), words.revoke);
  await page.getByRole('row', { name: guest.name }).getByText(words.is.revoked).waitFor(soon);
}

/** Makes a technician without a mail address. @returns the link for a password, as it is shown once. */
async function addWithoutMail(page: Page): Promise<URL> {
  await button(page, words.invite).click();
  await page.getByRole('radio', { name: words.byHand }).check({ force: true });
  const form = page.getByRole('dialog', { name: words.inviteTitle });
  await form.getByLabel(words.login).fill(sun.login);
  await form.getByLabel(words.name, { exact: true }).fill(sun.name);
  await button(page, words.addPerson).click();
  await button(page, words.linkMake).click(soon);
  await page.getByRole('img', { name: words.linkQr }).waitFor(soon);
  const link = new URL(await page.locator('dialog code').innerText());
  await button(page, words.linkDone).click();
  return link;
}

test('an administrator invites, adds without mail, gives and takes a role, and resets a second factor', async () => {
  const { page } = await visitor(english, 'admin');
  await page.waitForURL((url) => url.pathname === '/admin/people', soon); // Where an administrator begins.
  await invite(page);
  const link = await addWithoutMail(page);

  const { page: own } = await visitor(english, null);
  await own.goto(link.pathname + link.hash);
  await own.locator('input[name=password]').fill(sun.password);
  await button(own, en.entry.choose).click();
  await own.getByText(en.entry.resetDone).waitFor(soon);
  await own.goto('/login');
  await own.locator('input[name=login]').fill(sun.login);
  await own.locator('input[name=password]').fill(sun.password);
  await own.locator('button[type=submit]').click();
  await own.waitForURL((url) => url.pathname === '/technician', soon);
  await own.goto('about:blank'); // The session ends below.

  const [person] = await query<{ id: string }>(run.database, 'select id from person where login = $1', [
    sun.login,
  ]);
  await query(
    run.database,
    `insert into passkey (id, account_id, person_id, name, credential_id, public_key, counter, transports, created_at)
     select gen_random_uuid(), account_id, id, 'Key', sha256(id::text::bytea), '\\x00', 0, '{}', now()
     from person where id = $1`,
    [person!.id],
  );
  await page.goto(`/admin/people?search=${sun.login}&panel=${person!.id}`);
  const panel = page.getByRole('complementary', { name: sun.name });
  await panel.getByLabel(words.role, { exact: true }).selectOption('guard', soon);
  await panel.getByRole('button', { name: words.add, exact: true }).click();
  await panel.getByRole('listitem').filter({ hasText: en.role.guard }).waitFor(soon);
  const role = en.role.technician;
  await panel.getByRole('button', { name: fill(words.take, { role }) }).click();
  await confirm(page, fill(words.takeTitle, { role, name: sun.name }), words.takeWord);
  await panel
    .getByRole('listitem')
    .filter({ hasText: role })
    .waitFor({ ...soon, state: 'detached' });

  await panel.getByRole('button', { name: words.resetFactor }).click();
  await confirm(page, fill(words.resetFactorTitle, sun), words.resetFactor);
  await panel.getByText(words.factorNone, { exact: true }).waitFor(soon);
  const left = await query<{ n: number }>(
    run.database,
    `select (select count(*) from passkey where person_id = $1)::int
          + (select count(*) from session where person_id = $1)::int as n`,
    [person!.id],
  );
  expect(left).toEqual([{ n: 0 }]);
}, 120_000);

test('an identity provider is told from what is none, added, linked to the own login, unlinked and deleted', async () => {
  const { page, expectRefusal } = await visitor(english, 'admin');
  const told = en.provider;
  expectRefusal(400);
  await page.goto('/admin/people/providers');
  const provider = await startIdentityProvider(await page.locator('p code').innerText(soon));
  try {
    const name = `House ${mark}`;
    await button(page, told.add).click();
    const form = page.getByRole('dialog');
    await form.getByLabel(told.name, { exact: true }).fill(name);
    await form.getByLabel(told.issuer).fill('http://127.0.0.1:9');
    await form.getByLabel(told.client, { exact: true }).fill(provider.clientId);
    await form.getByLabel(told.secret, { exact: true }).fill(provider.clientSecret);
    await button(page, told.save).click();
    await form.getByText(told.issuerSilent).waitFor(soon);
    await form.getByLabel(told.issuer).fill(provider.issuer);
    await button(page, told.save).click();
    await page.getByRole('rowheader', { name }).waitFor(soon);
    expect(await page.content()).not.toContain(provider.clientSecret);

    provider.behaviour = { claims: { sub: `admin-${mark}` } };
    await page.goto('/me');
    await button(page, fill(told.linkTo, { name })).click(soon);
    const title = fill(told.unlinkTitle, { name });
    await button(page, title).click(soon);
    await confirm(page, title, told.unlink);
    await button(page, fill(told.linkTo, { name })).waitFor(soon);

    await page.goto('/admin/people/providers');
    const sure = fill(told.removeTitle, { name });
    await button(page, sure).click(soon);
    await confirm(page, sure, told.remove);
    await page.getByRole('rowheader', { name }).waitFor({ ...soon, state: 'detached' });
  } finally {
    await provider.stop();
  }
}, 120_000);

/** The looks that between them have each language, size and theme. */
const crossed: readonly Look[] = [
  { language: 'zh-CN', theme: 'dark', size: 'desktop' },
  { language: 'en', theme: 'light', size: 'phone' },
];
test.each(crossed)(
  'people, providers and keys are whole for everybody in $language, $theme, $size',
  async (look) => {
    const { page } = await visitor(look, 'admin');
    const text = look.language === 'en' ? en : zhCN;
    const faulty: [string, string[]][] = [];
    const check = async (what: string) => {
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      const faults = [...(await seriousFindings(page)), ...(wide > 0 ? [`${wide} px too wide`] : [])];
      if (faults.length > 0) faulty.push([what, faults]);
    };
    await page.getByRole('rowheader').first().waitFor(soon);
    await page.getByRole('button', { name: fill(text.people.open, { name: 'Wang Lei' }) }).click();
    await page.locator('aside form').first().waitFor(soon);
    await page.locator('aside').getByRole('button', { name: text.people.disable }).click();
    await page.getByRole('dialog').waitFor(soon);
    await check('somebody to disable');

    await page.goto('/admin/people/providers');
    await button(page, text.provider.add).click(soon);
    await page.getByLabel(text.provider.trust).check();
    await check('a provider');

    await page.goto('/admin/integrations');
    await button(page, text.integration.makeKey).click(soon);
    const scopes = page.locator('dialog [role=group] label');
    await scopes.first().waitFor(soon);
    // Everything that the server gives has words.
    const shown = (await scopes.allInnerTexts()).map((said) => said.split('\n')[0]!);
    const { scopes: given } = await page.evaluate<{ scopes: string[] }>(
      "fetch('/api/api-key-scopes').then((reply) => reply.json())",
    );
    expect(shown).toHaveLength(given.length);
    expect(shown.filter((said) => /^[a-z]+\.[a-z]+|scope/.test(said))).toEqual([]);
    await check('a key');
    expect(faulty).toEqual([]);
  },
);

import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { givenPerson } from '../../cloud/src/identity/testing.ts';
import { createDb, createPool, type DbRole } from '../../cloud/src/platform/db.ts';
import { type ServedApi, serveApi } from '../../cloud/src/testing-api.ts';
import { en } from '../../dashboards/src/lib/i18n/en.ts';
import { query } from '../../deploy/local/postgres.ts';
import { english, receiveVisitors, soon } from './hall.ts';
import { languages, seriousFindings } from './visitor.ts';

const { run } = inject('demoPark');
const words = en.security;

// A door of its own to the same park: here whose rights need a second factor has to enrol one.
let strict: ServedApi;
let person: Awaited<ReturnType<typeof givenPerson>>;
/** Those of the person, as they were shown once. */
let recoveryCodes: string[] = [];
const pools: { end(): Promise<void> }[] = [];
const pool = (role?: DbRole, max = 3) => {
  const made = createPool({ url: run.database, max, ...(role && { role }) });
  pools.push(made);
  return made;
};
/** Passkeys need a name, so the door has one. */
const door = { ...run, users: [], url: '' };
const visitor = receiveVisitors(door);

beforeAll(async () => {
  strict = await serveApi({ pool }, { portalDir: join(import.meta.dirname, '../../dashboards/build') });
  Object.assign(door, { url: strict.url.replace('127.0.0.1', 'localhost') });
  const [account] = await query<{ id: string }>(run.database, 'select id from account where key = $1', [
    run.account,
  ]);
  person = await givenPerson(createDb(pool()), { accountId: account!.id, login: `guest-${Date.now()}` });
});
afterAll(async () => {
  await strict.app.close();
  await query(run.database, 'delete from person where id = $1', [person.id]);
  await Promise.all(pools.map((one) => one.end()));
});

async function typeLogin(page: Page) {
  await page.goto('/login');
  await page.locator('input[name=login]').fill(person.login);
  await page.locator('input[name=password]').fill(person.password);
  await page.locator('button[type=submit]').click();
}
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** A security key inside the browser that always says yes (W3C WebAuthn, section 11). */
async function withAuthenticator(page: Page): Promise<CDPSession> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
      ...{ isUserVerified: true, automaticPresenceSimulation: true },
    },
  });
  return cdp;
}

test('a first login leads through enrolment, and later ones ask for the app, a recovery code or a passkey', async () => {
  const { page, expectRefusal } = await visitor(english, null);
  expectRefusal(403); // What needs the second factor is refused before it is asked for.
  await typeLogin(page);
  await page.getByRole('heading', { name: words.enrolTitle }).waitFor(soon);
  await page.locator('input[name=name]').fill('My phone');
  await button(page, words.addApp).click();
  await page.getByRole('img', { name: words.qr }).waitFor(soon);
  const secret = (await page.locator('.secret code').innerText()).replaceAll(' ', '');
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
  await page.locator('input[name=code]').fill(code);
  await button(page, words.confirm).click();
  const codes = page.getByRole('list', { name: words.codes });
  await codes.waitFor(soon);
  recoveryCodes = await codes.locator('code').allInnerTexts();
  const [first = ''] = recoveryCodes;
  await button(page, words.codesKept).click();
  await page.waitForURL((url) => url.pathname === '/engineer', soon);

  // The code was used; a recovery code opens, when the next thing needs a fresh factor.
  await query(
    run.database,
    `update session set factor_at = now() - interval '11 minutes' where person_id = $1`,
    [person.id],
  );
  await page.goto('/me');
  await button(page, words.add).click();
  await withAuthenticator(page);
  const dialog = page.getByRole('dialog', { name: words.enrolTitle });
  await dialog.locator('input[name=name]').fill('Key');
  await button(page, words.addPasskey).click();
  const asked = page.getByRole('dialog', { name: words.stepUp });
  await asked.waitFor(soon);
  await page.keyboard.type(first); // Who is asked for it types it: the field has the focus.
  await page.keyboard.press('Enter');
  await page.getByRole('rowheader', { name: 'Key' }).waitFor(soon);

  await page.goto('/engineer');
  await page.getByRole('button', { name: person.name }).click();
  await button(page, en.setting.logout).click();
  await typeLogin(page);
  await page.getByRole('heading', { name: words.giveTitle }).waitFor(soon);
  await page.locator('input[name=code]').fill(first);
  await button(page, words.confirm).click();
  await page.getByRole('alert').filter({ hasText: words.wrong }).waitFor(soon); // It was used.
  await button(page, words.usePasskey).click();
  await page.waitForURL((url) => url.pathname === '/engineer', soon);
}, 120_000);

const looks = languages.flatMap((language) =>
  (['desktop', 'phone'] as const).map((size) => [language, size] as const),
);
test.each(looks)(
  'the own login page in %s on a %s has no serious finding and no sideways scrolling',
  async (language, size) => {
    const { page } = await visitor({ language, theme: 'light', size }, null);
    await typeLogin(page);
    await page.locator('input[name=code]').waitFor(soon);
    expect(await seriousFindings(page)).toEqual([]);
    await query(run.database, 'update session set factor_at = now() where person_id = $1', [person.id]);
    await page.goto('/me');
    await page.locator('input[name=newPassword]').waitFor(soon);
    await page.getByRole('rowheader').first().waitFor(soon);
    expect(await seriousFindings(page)).toEqual([]);
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(wide).toBeLessThanOrEqual(0);
  },
);

/** Lets the session of a page end under it, sends the form, and logs in again in place. */
async function sendAfterTheEnd(page: Page, send: string) {
  await query(run.database, `update session set seen_at = now() - interval '2 days' where person_id = $1`, [
    person.id,
  ]);
  await button(page, send).click();
  const again = page.getByRole('dialog', { name: en.login.againTitle });
  const password = again.locator('input[name=password]');
  await password.waitFor(soon);
  for (const _time of [1, 2]) await page.keyboard.press('Escape'); // A browser lets the second one through.
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  const given = page.getByRole('dialog', { name: words.giveTitle });
  await given.locator('input[name=code]').fill(recoveryCodes[1]!, soon);
  await page.keyboard.press('Enter');
  await given.waitFor({ ...soon, state: 'detached' });
}

test('a wall screen shows the park by a link that is made in a session that ended, and goes dark when it is revoked', async () => {
  const { page, ...guest } = await visitor(english, null);
  for (const status of [401, 403]) guest.expectRefusal(status);
  await typeLogin(page);
  await page.locator('input[name=code]').waitFor(soon);
  await query(run.database, 'update session set factor_at = now() where person_id = $1', [person.id]);
  await page.goto('/me');
  await page.locator('input[name=wall]').fill('Lobby');
  await sendAfterTheEnd(page, words.addWall);
  const link = await page.locator('.link code').innerText();

  const { page: wall, expectRefusal } = await visitor({ ...english, language: 'zh-CN' }, null);
  expectRefusal(401);
  await wall.goto(new URL(link).pathname + new URL(link).hash);
  await wall.locator('.buildings li').first().waitFor(soon);
  expect(new URL(wall.url()).hash).toBe('');
  expect(await seriousFindings(wall)).toEqual([]);
  await wall.reload(); // The token is kept by the browser of the screen.
  await wall.locator('.buildings li').first().waitFor(soon);

  await page.getByRole('row', { name: 'Lobby' }).getByRole('button', { name: words.revoke }).click();
  await page.getByRole('dialog').getByRole('button', { name: words.revoke }).click();
  await page.getByRole('rowheader', { name: 'Lobby' }).waitFor({ ...soon, state: 'detached' });
  await wall.getByRole('alert').waitFor(soon);
  expect(await wall.locator('.buildings li').count()).toBe(0);
});

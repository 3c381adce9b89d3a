import { beforeAll, describe, expect, inject, test } from 'vitest';
import { headersOf, login } from '../support/park.ts';
import { english, receiveVisitors, soon } from './hall.ts';
import type { Visitor } from './visitor.ts';

const { run } = inject('demoPark');
const visitor = receiveVisitors(run);
/** A device whose power moves at every read. */
let main: string;

beforeAll(async () => {
  const get = await login(run);
  const { items } = (await (await get('/api/equipment')).json()) as { items: { id: string; name: string }[] };
  const incomer = items.find(({ name }) => name === 'Main incomer');
  if (!incomer) throw new Error('the demo park has no main incomer');
  main = `/engineer/devices/${incomer.id}`;
});

const heading = ({ page }: Visitor) => page.getByRole('heading', { level: 1 });

test('what is served was built for people, and does not name its sources', async () => {
  const { page } = await visitor(english, null);
  const told: Promise<string>[] = [];
  page.on('response', (one) => {
    if (one.url().endsWith('.js')) told.push(one.text());
  });
  await page.goto('/login');
  await page.getByLabel('Login name').waitFor();
  const scripts = await Promise.all(told);
  expect(scripts.length).toBeGreaterThan(5);
  expect(scripts.filter((text) => text.includes('src/routes/'))).toEqual([]);
});

describe('logging in', () => {
  test('a wrong password is told and the right one leads to the overview', async () => {
    const { page, ...guest } = await visitor(english, null);
    await page.goto('/login');
    await page.getByLabel('Login name').fill('engineer');
    await page.getByLabel('Password', { exact: true }).fill('guess');
    guest.expectRefusal();
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('Login name or password is wrong').waitFor();
    expect(await page.getByLabel('Password', { exact: true }).inputValue()).toBe('');

    await guest.login();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    // What a screen reader says of the new page is its title at that moment.
    expect(await page.locator('#svelte-announcer').textContent()).toBe('Overview · Parkline');
    await page.getByRole('link', { name: 'Building A', exact: true }).waitFor();
  });

  test('an empty form says what is missing', async () => {
    const { page } = await visitor(english, null);
    await page.goto('/login');
    await page.getByRole('button', { name: 'Log in' }).click();
    expect(await page.getByText('Please fill this in').count()).toBe(2);
  });

  test('a page asked for with a session that ended says so, and comes back after logging in', async () => {
    const { page, ...guest } = await visitor();
    guest.expectRefusal(); // What the first page still reads.
    const cookies = await page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    await fetch(`${run.url}/api/logout`, { method: 'POST', headers: headersOf(cookie) });
    await page.goto(`${main}?range=month`);
    await page.waitForURL(/\/login\?ended=&back=/);
    await page.getByRole('status').getByText('Your session has ended').waitFor(soon);
    const user = run.users.find(({ role }) => role === 'facility_engineer')!;
    await page.getByLabel('Login name').fill(user.login);
    await page.getByLabel('Password', { exact: true }).fill(user.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL(`**${main}?range=month`);
    await heading({ page, ...guest })
      .getByText('Main incomer')
      .waitFor();
  });

  test('a session that ended under a page is told over it, and somebody else begins at the login', async () => {
    const { page, expectRefusal } = await visitor();
    expectRefusal();
    await page.context().clearCookies();
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor(soon);
    await page.getByRole('button', { name: 'Log in as somebody else' }).click();
    await page.waitForURL('**/login');
    await page.getByLabel('Login name').waitFor();
  });

  test('logging out ends the session for the server too', async () => {
    const { page } = await visitor();
    await page.locator('[aria-haspopup=dialog]', { hasText: 'Lin Hao' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL('**/login');
    await page.goto('/engineer');
    await page.waitForURL('**/login');
  });

  test('a park that has people cannot be set up again', async () => {
    const { page } = await visitor(english, null);
    await page.goto('/setup');
    await page.getByText('This park is already set up.').waitFor();
  });

  test('who had the set-up open before is refused, and may then type in peace', async () => {
    const { page, expectRefusal } = await visitor(english, null);
    expectRefusal(403);
    const before = { json: { needed: true, named: true } };
    await page.route('**/api/setup', (route) =>
      route.request().method() === 'GET' ? route.fulfill(before) : route.continue(),
    );
    await page.goto('/setup');
    const fill = (name: string, value: string) => page.locator(`input[name=${name}]`).fill(value);
    for (const name of ['token', 'name', 'login']) await fill(name, 'late');
    await fill('password', 'seven quiet pumps');
    await page.getByRole('button', { name: 'Create administrator' }).click();
    const refused = page.getByText('The token is wrong or was already used.');
    await refused.waitFor(soon);
    await fill('token', 'later');
    await refused.waitFor({ ...soon, state: 'detached' });
  });
});

describe('the equipment page', () => {
  test('a live value changes on screen', async () => {
    const { page } = await visitor();
    await page.goto(main);
    const power = page.locator('.figures [data-value]').first();
    const before = await power.getAttribute('data-value');
    await expect.poll(() => power.getAttribute('data-value'), { timeout: 60_000 }).not.toBe(before);
    expect((await power.textContent())?.trim()).toMatch(/^[\d,.]+\s*kW$/);
  });

  test('the trend is drawn, grows, and can be read as a table', async () => {
    const { page } = await visitor();
    await page.goto(main);
    await page.locator('.u-over').waitFor();
    const trend = page.getByRole('slider', { name: /Active power, last hour/ });
    await expect
      .poll(() => trend.getAttribute('aria-valuetext'), soon)
      .toMatch(/^\d\d:\d\d:\d\d: [\d.]+.kW$/);

    await page
      .getByRole('group', { name: /last hour/ })
      .getByText('Table')
      .click();
    const rows = page.getByRole('region', { name: /last hour/ }).locator('tbody tr');
    const before = await rows.count();
    expect(before).toBeGreaterThan(0);
    await expect.poll(() => rows.count(), { timeout: 60_000 }).toBeGreaterThan(before);
  });

  test('history shows hours, days and months, and its address shows it again', async () => {
    const { page } = await visitor();
    await page.goto(main);
    const bars = page.locator('svg rect.bar');
    await expect.poll(() => bars.count(), soon).toBeGreaterThanOrEqual(23);

    await page.getByRole('group', { name: 'Range' }).getByText('Month').click();
    await page.waitForURL(/range=month&at=\d{4}-\d\d-\d\d/);
    await page.getByRole('button', { name: 'Earlier' }).click();
    await expect.poll(() => bars.count(), soon).toBeGreaterThanOrEqual(28);
    const address = page.url();
    const shown = await page.locator('.picker [aria-live]').textContent();

    await page.goto('/engineer');
    await page.goto(address);
    await expect.poll(() => page.locator('.picker [aria-live]').textContent(), soon).toBe(shown);
    await expect.poll(() => bars.count(), soon).toBeGreaterThanOrEqual(28);
  });

  test('a point opens beside the list, back closes it', async () => {
    const { page } = await visitor();
    await page.goto(main);
    await page.getByRole('button', { name: 'Frequency' }).click();
    await page.waitForURL(/panel=point\./);
    await page
      .getByRole('complementary', { name: 'Frequency' })
      .getByText(/a-main unit 1/)
      .waitFor();
    await page.goBack();
    await page.getByRole('complementary', { name: 'Frequency' }).waitFor({ state: 'detached' });
  });

  test('an unknown device is said to be unknown', async () => {
    const { page } = await visitor();
    await page.goto('/engineer/devices/00000000-0000-7000-8000-000000000000');
    await page.getByText('This does not exist').first().waitFor();
  });
});

describe('gateways', () => {
  test('their state, version and what waits to be sent', async () => {
    const { page } = await visitor();
    await page.getByRole('table', { name: 'Gateways' }).getByRole('button', { name: 'Gateway A' }).click();
    const panel = page.getByRole('complementary', { name: 'Gateway A' });
    await panel.getByText('Online', { exact: true }).waitFor();
    await panel.getByText('Waiting to be sent').waitFor();
    await panel.getByText(/^\d+\.\d+\.\d+$/).waitFor();
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
  });
});

describe('language, size and keyboard', () => {
  test('switching the language changes words and names at once and stays', async () => {
    const { page, ...guest } = await visitor();
    await page.goto(main);
    await page.getByRole('button', { name: 'Lin Hao' }).click();
    await page.getByText('中文').click();
    await page.getByRole('button', { name: '退出登录' }).waitFor();
    await page.keyboard.press('Escape');
    await heading({ page, ...guest })
      .getByText('总进线')
      .waitFor();
    await page.getByRole('button', { name: '有功功率' }).waitFor();
    await page.reload();
    await heading({ page, ...guest })
      .getByText('总进线')
      .waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  });

  test('on a phone the places open over the list and lead to a device', async () => {
    const { page, ...guest } = await visitor({ language: 'zh-CN', theme: 'dark', size: 'phone' });
    await page.getByRole('link', { name: '设备', exact: true }).tap();
    await page.getByRole('button', { name: '选择位置' }).tap();
    await page.getByRole('treeitem', { name: 'B 座' }).getByRole('link').first().tap();
    await page.waitForURL(/place=/);
    await page.getByRole('heading', { level: 2, name: 'B 座' }).waitFor();
    await page.getByRole('link', { name: '总进线' }).first().tap();
    await heading({ page, ...guest })
      .getByText('总进线')
      .waitFor();
  });

  test('everything is reached from the keyboard', async () => {
    const { page, ...guest } = await visitor();
    await page.getByRole('link', { name: 'Building A', exact: true }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');

    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await page.waitForURL('**/engineer/devices');
    const tree = page.getByRole('tree');
    await tree.getByRole('link', { name: 'Harbour Park' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowLeft');
    expect(await tree.getByRole('treeitem', { name: 'Building A' }).getAttribute('aria-expanded')).toBe(
      'false',
    );

    await page.keyboard.press('/');
    await page.keyboard.type('tenant 302');
    await page.getByRole('option', { name: /Tenant 302/ }).waitFor();
    await page.keyboard.press('Enter');
    await heading({ page, ...guest })
      .getByText('Tenant 302')
      .waitFor();

    // A choice takes no text, so it leaves the shortcuts alone.
    await page.getByRole('radio', { name: 'Table' }).first().focus();
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await page.waitForURL('**/engineer');
  });
});

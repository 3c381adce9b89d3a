import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { play } from '../support/demo-park.ts';
import { english, englishPhone, live, receiveVisitors, soon } from './hall.ts';

const root = join(import.meta.dirname, '../..');
const park = inject('demoPark');
const visitor = receiveVisitors(park.run);

/** A page that was loaded again has forgotten it. */
const mark = (page: Page): Promise<void> => page.evaluate('globalThis.stillTheSamePage = true');
const isMarked = (page: Page): Promise<boolean> => page.evaluate('globalThis.stillTheSamePage === true');

describe('from a fault to the finished order', () => {
  const gate = 'Gate forced open';
  afterAll(() => play(park, 'gate-forced', false));

  const cardOf = (page: Page, number: string): Locator => page.locator('article', { hasText: number });
  const columnOf = (page: Page, name: string): Locator =>
    page.locator('section', { has: page.getByRole('heading', { level: 2, name }) });

  /** @returns the number of the order that the fault got. */
  async function seeAndAcknowledge(page: Page): Promise<string> {
    await page.getByRole('button', { name: gate }).click(live);
    const panel = page.getByRole('complementary', { name: gate });
    await panel.getByText('The gate reports that it was opened by force').waitFor();
    await panel.getByText('Send somebody to look').waitFor();
    await panel.getByRole('button', { name: 'I have seen it' }).click();
    await panel.getByText(/^Lin Hao, /).waitFor(soon);
    const order = panel.getByText(/\d{4}-\d{5}/);
    await order.waitFor(soon);
    return /\d{4}-\d{5}/.exec((await order.textContent())!)![0];
  }

  async function readWhyAndReassign(page: Page, number: string): Promise<void> {
    const card = cardOf(page, number);
    await card.getByText('Liu Yang').first().waitFor(live);
    await card.getByText('Why this technician').click();
    await card.locator('details p', { hasText: 'Liu Yang' }).waitFor();
    await card.getByRole('button', { name: 'Assign' }).click();
    const dialog = page.getByRole('dialog', { name: `Assign ${number}` });
    await dialog.getByRole('radio', { name: /^Wang Lei/ }).check();
    await dialog.getByRole('button', { name: 'Assign', exact: true }).click();
    await dialog.waitFor({ state: 'detached', ...soon });
    await cardOf(page, number).getByText('Wang Lei').first().waitFor(soon);
  }

  async function acceptAndStart(page: Page, number: string): Promise<void> {
    const row = page.locator('li', { has: page.getByRole('button', { name: number }) });
    await row.getByRole('link', { name: gate }).tap(live);
    await page.waitForURL('**/technician/orders/*');
    await page.getByRole('button', { name: number }).tap();
    await page.getByRole('button', { name: 'Start work' }).tap(soon);
    await page.getByLabel('Photo before: Take photo').waitFor({ state: 'attached', ...soon });
  }

  /** Takes a picture of the screen in place of the camera's, which a browser without one cannot take. */
  async function takePhoto(page: Page, kind: 'before' | 'after'): Promise<void> {
    const clip = { x: 0, y: 0, width: 160, height: 120 };
    const buffer = await page.screenshot({ type: kind === 'before' ? 'jpeg' : 'png', clip });
    const [name, mimeType] = kind === 'before' ? ['before.jpg', 'image/jpeg'] : ['after.png', 'image/png'];
    await page.getByLabel(`Photo ${kind}: Take photo`).setInputFiles({ name, mimeType, buffer });
    const taken = page.getByRole('img', { name: kind === 'before' ? /^Before, / : /^After, / });
    await taken.waitFor(soon);
    await expect.poll(() => isDrawn(taken), soon).toBe(true);
  }
  const isDrawn = (image: Locator): Promise<boolean> =>
    image.evaluate((node) => (node as unknown as { naturalWidth: number }).naturalWidth > 0);

  async function noteAndFinish(page: Page): Promise<void> {
    await page.getByLabel('What did you do?').fill('Barrier bent back, contact tested.');
    await page.getByRole('button', { name: 'Finish order' }).tap();
    const dialog = page.getByRole('dialog', { name: 'The fault is still open' });
    await dialog.getByRole('button', { name: 'Finish anyway' }).tap();
    await page.getByText('Well done. The order is closed.').waitFor(soon);
  }

  async function readWhatWasDone(page: Page, number: string): Promise<void> {
    const done = columnOf(page, 'Done').locator('article', { hasText: number });
    await done.getByRole('button', { name: gate }).click(live);
    const panel = page.getByRole('complementary', { name: gate });
    await panel.getByText('Barrier bent back, contact tested.').first().waitFor(soon);
    for (const kind of [/^Before, /, /^After, /]) {
      const photo = panel.getByRole('img', { name: kind });
      await photo.scrollIntoViewIfNeeded(soon);
      await expect.poll(() => isDrawn(photo), soon).toBe(true);
    }
    await panel.getByText('Fault still open').waitFor();
  }

  test('engineer, supervisor and technician do their parts, and nobody has to reload', async () => {
    const [desk, board, phone] = await Promise.all([
      visitor(english, 'engineer'),
      visitor(english, 'supervisor'),
      visitor(englishPhone, 'technician'),
    ]);
    await desk.page.getByRole('link', { name: 'Alarms' }).click();
    await desk.page.getByRole('heading', { level: 1, name: 'Alarms' }).waitFor();
    await board.page.getByRole('heading', { level: 1, name: 'Work orders' }).waitFor();
    await phone.page.getByRole('heading', { level: 1, name: 'My orders' }).waitFor();
    const pages = [desk.page, board.page, phone.page];
    await Promise.all(pages.map(mark));
    await desk.page.getByRole('button', { name: gate }).waitFor({ state: 'detached', ...live });

    await play(park, 'gate-forced', true);
    const number = await seeAndAcknowledge(desk.page);
    await readWhyAndReassign(board.page, number);
    await acceptAndStart(phone.page, number);
    await takePhoto(phone.page, 'before');
    await takePhoto(phone.page, 'after');
    await noteAndFinish(phone.page);
    await readWhatWasDone(board.page, number);

    await play(park, 'gate-forced', false);
    const panel = board.page.getByRole('complementary', { name: gate });
    await panel.getByText('Fault cleared', { exact: true }).waitFor(live);
    await desk.page
      .getByRole('table', { name: 'Open' })
      .getByRole('button', { name: gate })
      .waitFor({
        state: 'detached',
        ...live,
      });
    expect(await Promise.all(pages.map(isMarked))).toEqual([true, true, true]);
  });
});

describe('writing from afar', () => {
  /** Opens a point of a device and its form to write it. */
  async function openForm(page: Page, device: string, point: string): Promise<Locator> {
    await page.getByRole('link', { name: 'Devices' }).click();
    await page.getByRole('table').getByRole('link', { name: device }).click(soon);
    await page.getByRole('table').getByRole('button', { name: point, exact: true }).click(soon);
    await page.getByRole('complementary', { name: point }).getByRole('button', { name: 'Write' }).click();
    return page.getByRole('dialog', { name: `Write: ${point}` });
  }

  test('the engineer holds a setpoint, a second person lets a gate move, and nobody has to reload', async () => {
    const [desk, second] = await Promise.all([visitor(english, 'engineer'), visitor(english, 'supervisor')]);
    const pages = [desk.page, second.page];
    await second.page.getByRole('link', { name: 'Writes' }).click();
    await second.page.getByRole('heading', { level: 1, name: 'Writes' }).waitFor(soon);
    await desk.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor(soon);
    await Promise.all(pages.map(mark));

    const setpoint = await openForm(desk.page, 'Air handling unit B1', 'Supply air temperature setpoint');
    await setpoint.getByLabel('Value').fill('31');
    await setpoint.getByLabel('Hold for').fill('0.1');
    await setpoint.getByLabel('Reason').fill('Too warm in the hall');
    await setpoint.getByRole('button', { name: 'Write', exact: true }).click();
    await setpoint.getByText(/^Not within 10.0.°C to 30.0.°C$/).waitFor(soon);
    await setpoint.getByLabel('Value').fill('18.5');
    await setpoint.getByRole('button', { name: 'Write', exact: true }).click();
    await setpoint.getByText('Done', { exact: true }).waitFor(live);
    await setpoint.getByText(/→ 18.5.°C$/).waitFor();
    await setpoint.getByText('Given back', { exact: true }).waitFor(live);
    await desk.page.keyboard.press('Escape');

    const gate = await openForm(desk.page, 'Visitor gate', 'Barrier');
    await gate.getByText('a second person must approve').waitFor(soon);
    await gate.getByText('open', { exact: true }).click();
    await gate.getByLabel('Reason').fill('Visitor without a card');
    await gate.getByRole('button', { name: 'Ask for approval' }).click();
    await gate.getByText('Waits for approval', { exact: true }).waitFor(soon);
    const asked = second.page.locator('li', { hasText: 'Visitor without a card' });
    await asked.getByRole('button', { name: 'Approve' }).click(live);
    await asked.getByText('Done', { exact: true }).waitFor(live);
    await asked.getByText('approved by Zhao Min').waitFor();
    await gate.getByText('Done', { exact: true }).waitFor(live);
    expect(await Promise.all(pages.map(isMarked))).toEqual([true, true]);
  });
});

describe('a tenant', () => {
  interface ParkFile {
    readonly buildings: { readonly meters: { name: { en: string }; space?: string }[] }[];
    readonly leases: { readonly tenant: string; readonly spaces: string[] }[];
  }
  const file = parse(readFileSync(join(root, 'firmware-sim/parks/demo.yaml'), 'utf8')) as ParkFile;
  const spaces = file.leases.flatMap((lease) => (lease.tenant === 'aurora' ? lease.spaces : []));
  const meters = file.buildings
    .flatMap((building) => building.meters)
    .flatMap(({ name, space }) => (space !== undefined && spaces.includes(space) ? [name.en] : []));

  test('sees use and cost of its own rooms on the phone, by hour, day and month', async () => {
    const { page } = await visitor(englishPhone, 'tenant');
    await page.getByText('Aurora Software').first().waitFor();
    const electricity = page.getByRole('article', { name: 'Electricity' });
    const figure = async (name: string): Promise<number> =>
      Number(await electricity.locator(`[data-${name}]`).getAttribute(`data-${name}`));
    expect(await figure('use')).toBeGreaterThan(0);
    expect(await figure('cost')).toBeGreaterThan(0);
    await electricity
      .getByText(/^¥[\d,]+\.\d\d$/)
      .first()
      .waitFor();

    const places = page.locator('a[href^="/tenant/usage?point="]');
    await places.first().waitFor();
    const names = await places.evaluateAll((links) =>
      links.map((link) => (link as unknown as { textContent: string }).textContent),
    );
    expect(names.map((text) => meters.find((name) => text.includes(name))).sort()).toEqual(
      [...meters].sort(),
    );

    await places.first().tap();
    const shown = async (): Promise<string> =>
      (await page.locator('.picker [aria-live]').textContent()) ?? '';
    const range = page.getByRole('group', { name: 'Range' });
    const bars = page.locator('svg rect.bar');
    for (const [period, shape, least, most] of [
      ['Day', /\d{1,2}, \d{4}$/, 24, 24],
      ['Month', /^\w+ \d{4}$/, 28, 31],
    ] as const) {
      await range.getByText(period, { exact: true }).tap();
      const running = await shown();
      await page.getByRole('button', { name: 'Earlier' }).tap();
      await expect.poll(shown, soon).not.toBe(running);
      expect(await shown()).toMatch(shape);
      await expect.poll(() => bars.count(), soon).toBeGreaterThanOrEqual(least);
      expect(await bars.count()).toBeLessThanOrEqual(most);
      await page.locator('.sum', { hasText: /Total\s*[\d,.]+\s*kWh\s*Cost\s*¥[\d,]+\.\d\d/ }).waitFor();
    }
    await range.getByText('Year', { exact: true }).tap();
    await expect.poll(shown, soon).toMatch(/^\d{4}$/);
    await expect.poll(() => bars.count(), soon).toBeLessThanOrEqual(12);
    expect(await bars.count()).toBeGreaterThanOrEqual(2);
  });
});

describe('finance', () => {
  interface Expected {
    readonly run2_meter4_new_multiplier_20: { readonly supply: { readonly total: string } };
  }
  const file = join(root, 'tests/fixtures/billing-2026-10/expected.json');
  const expected = JSON.parse(readFileSync(file, 'utf8')) as Expected;

  test('goes from a run to the readings of a line in three clicks, and the sum is the supply invoice', async () => {
    const { page } = await visitor(english, 'finance');
    let clicks = 0;
    const click = async (target: Locator): Promise<void> => {
      clicks += 1;
      await target.click(soon);
    };
    await click(
      page.getByRole('table', { name: 'Billing runs' }).getByRole('link', { name: 'October 2026' }),
    );
    const total = expected.run2_meter4_new_multiplier_20.supply.total;
    await page.locator(`tfoot [data-total="${total}"]`).waitFor(soon);
    await page.locator(`tfoot [data-supply="${total}"]`).waitFor();
    await page.getByText('Equal to the supply invoice, to the cent').waitFor();

    await click(page.locator('a[href^="/finance/statements/"]').first());
    await click(page.locator('tr', { hasText: 'Own use' }).getByRole('button').first());
    const intervals = page.getByRole('region', { name: 'Intervals' });
    await intervals
      .getByText(/^[\w-]+: [\d,.]+ → [\d,.]+/)
      .first()
      .waitFor(soon);
    expect(await intervals.locator('tbody tr').count()).toBe(24);
    await page
      .getByRole('complementary')
      .getByText(/^[\d.]+ kWh × [\d.]+ = [\d.]+$/)
      .waitFor();
    expect(clicks).toBeLessThanOrEqual(3);
  });
});

describe('the account administrator', () => {
  test('walks through engineering, dispatch and finance', async () => {
    const { page } = await visitor(english, 'admin');
    for (const [area, title] of [
      ['Dispatch', 'Work orders'],
      ['Finance', 'Billing runs'],
      ['Engineering', 'Overview'],
    ] as const) {
      await page.getByRole('button', { name: 'Chen Yu' }).click();
      await page.getByRole('navigation', { name: 'Work areas' }).getByRole('link', { name: area }).click();
      await page.getByRole('heading', { level: 1, name: title }).waitFor(soon);
    }
    await page.getByRole('link', { name: 'Building A', exact: true }).waitFor(soon);
  });
});

describe('the people of another operator', () => {
  test.each(['river-engineer', 'river-admin'])('%s sees the own park and nothing else', async (login) => {
    const { page } = await visitor(english, login);
    await page.goto('/engineer');
    await page.getByRole('link', { name: 'Pump house', exact: true }).waitFor(soon);
    await page.goto('/engineer/devices');
    await page.getByRole('link', { name: 'Workshop' }).first().waitFor(soon);
    const told = await page.locator('body').innerText();
    expect(told).toContain('Riverside Works');
    expect(told).not.toMatch(/Harbour|Building [AB]|Tenant 30\d/);
  });
});

test('who administers some things is told that others are not open, with a way on and nothing to press', async () => {
  const { page } = await visitor(english, 'engineer');
  await page.goto('/admin/people');
  await page.getByText('You have no access to this').waitFor(soon);
  expect(await page.getByRole('button', { name: 'Invite' }).count()).toBe(0);
  await page.getByRole('link', { name: 'Equipment', exact: true }).click();
  await page.waitForURL('**/admin/things');
});

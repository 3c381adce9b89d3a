import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeTrouble, type Trouble } from '../support/demo-park.ts';
import { receiveVisitors, soon } from './hall.ts';
import { askToOpen, idsOf, type Pages, pagesOf } from './pages.ts';
import type { Look } from './visitor.ts';
import { faultsOf } from './whole.ts';

export interface Reading {
  readonly language: Look['language'];
  /** The size that is looked at in the dark, too. */
  readonly darkSize: Look['size'];
  /** The size and theme in which schematics are looked at. */
  readonly schematics: Pick<Look, 'size' | 'theme'>;
  /** A gate of its own, which only two people together may move. */
  readonly gate: string;
}

/** Looks at every page of every role as a reader of one language sees it: each file of tests looks at one language. */
export function lookEverywhere({ language, darkSize, schematics, gate }: Reading): void {
  const park = inject('demoPark');
  const visitor = receiveVisitors(park.run);
  let pages: Readonly<Record<string, Pages>>;
  /** One device of each other kind that has a schematic. */
  let drawn: Pages;
  /** The page of the gate with its barrier open in the panel. */
  let barrier: string;
  /** Takes back the write that waits for a second person. */
  let withdraw: (() => Promise<unknown>) | undefined;

  beforeAll(async () => {
    // The files look at one trouble, and none of them ends it: another may be looking still.
    const name = 'elevator-between-floors';
    const trouble: Trouble = await makeTrouble(park, name, name);
    const ids = await idsOf(park, gate);
    withdraw = await askToOpen(park, ids['barrier']!);
    barrier = `/engineer/devices/${ids[gate]}?panel=point.${ids['barrier']}`;
    pages = pagesOf(trouble, ids);
    drawn = ['ahu-a-1', 'vav-a-1', 'chiller-a-1', gate, 'leak-a-1'].map((key) => [
      `/engineer/devices/${ids[key]}`,
      'svg[role=group]',
    ]);
  }, 150_000);
  afterAll(() => withdraw?.());

  /** @returns the pages where something is wrong, and what. */
  async function walk(login: string, all: Pages, look: Look): Promise<[path: string, faults: string[]][]> {
    const { page } = await visitor(look, login);
    const faulty: [string, string[]][] = [];
    for (const [path, sign] of all) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).first().waitFor(soon);
      await page
        .locator(sign)
        .first()
        .waitFor({ state: 'attached', ...soon });
      const faults = await faultsOf(page, look);
      if (faults.length > 0) faulty.push([path, faults]);
    }
    return faulty;
  }

  /** Of the dark theme, the page where a role's day begins. */
  const pagesIn = ({ theme }: Look, login: string): Pages =>
    theme === 'dark' ? pages[login]!.slice(0, 1) : pages[login]!;

  test.each<Look>([
    { language, theme: 'light', size: 'desktop' },
    { language, theme: 'light', size: 'phone' },
    { language, theme: 'dark', size: darkSize },
  ])(
    'every page of every role is whole for everybody in $language, $theme, $size',
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

  test(`every schematic is whole for everybody in ${language}`, { timeout: 240_000 }, async () => {
    expect(await walk('engineer', drawn, { language, ...schematics })).toEqual([]);
  });

  describe('what opens over a page', () => {
    const look: Look = { language, theme: 'light', size: 'phone' };

    test(`is whole for everybody in ${language}`, { timeout: 120_000 }, async () => {
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

    test(`lets a point be written by everybody in ${language}`, { timeout: 120_000 }, async () => {
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
    });
  });
}

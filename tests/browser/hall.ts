import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { RunFile } from '../../deploy/local/run-file.ts';
import { launchBrowser } from '../support/browser.ts';
import { type Look, visit, type Visitor } from './visitor.ts';

export const english: Look = { language: 'en', theme: 'light', size: 'desktop' };
export const englishPhone: Look = { ...english, size: 'phone' };

/** How long a busy machine may take to show what it was asked for. */
export const soon = { timeout: 30_000 };
/** How long it may take until what happens at a device has reached a page. */
export const live = { timeout: 60_000 };

/**
 * Opens visitors for the tests of one file, logged in as the facility engineer where no other name is said, null for nobody.
 * After each test they leave, and none of their consoles may have called an error.
 */
export function receiveVisitors(run: RunFile): (look?: Look, login?: string | null) => Promise<Visitor> {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const open: Visitor[] = [];
  afterEach(async () => {
    const guests = open.splice(0);
    const faults = guests.flatMap((guest) => guest.faults);
    await Promise.all(guests.map((guest) => guest.close()));
    expect(faults).toEqual([]);
  });
  return async (look = english, login = 'engineer') => {
    const guest = await visit(browser, run, look);
    open.push(guest);
    if (login !== null) await guest.login(login);
    return guest;
  };
}

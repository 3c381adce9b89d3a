import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import type { RunFile } from '../../deploy/local/run-file.ts';

export const sizes = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const;
export const languages = ['en', 'zh-CN'] as const;
export const themes = ['light', 'dark'] as const;

export interface Look {
  readonly language: (typeof languages)[number];
  readonly theme: (typeof themes)[number];
  readonly size: keyof typeof sizes;
  /** Pixels of a picture per CSS pixel. */
  readonly scale?: number;
}

/** A person at a browser of their own. */
export interface Visitor {
  readonly page: Page;
  /** What the console called an error so far, violations of the content security policy among it. */
  readonly faults: readonly string[];
  /** From here on a refusal of this status by the server is what the test wants to see, not a fault. */
  expectRefusal(status?: number): void;
  /** Opens the login page and logs in as the person of run.json with this login name. */
  login(name?: string): Promise<void>;
  close(): Promise<void>;
}

/** The browser writes down each refusal by itself. @returns its status, NaN where the error is another. */
const refusalOf = (text: string): number =>
  Number(/the server responded with a status of (\d+)/.exec(text)?.[1]);

export async function visit(browser: Browser, run: RunFile, look: Look): Promise<Visitor> {
  const { language, theme, size, scale } = look;
  const context = await browser.newContext({
    ...sizes[size],
    baseURL: run.url,
    locale: language === 'en' ? 'en-GB' : 'zh-CN',
    colorScheme: theme,
    ...(scale !== undefined && { deviceScaleFactor: scale }),
  });
  const page = await context.newPage();
  const faults: string[] = [];
  const expected = new Set<number>();
  page.on('console', (message) => {
    if (message.type() !== 'error' || expected.has(refusalOf(message.text()))) return;
    faults.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => faults.push(String(error.stack ?? error)));

  return {
    page,
    faults,
    expectRefusal: (status = 401) => void expected.add(status),
    async login(name = 'engineer') {
      const user = run.users.find(({ login }) => login === name);
      if (!user) throw new Error(`run.json has no ${name}`);
      await page.goto('/login');
      await page.locator('input[name=login]').fill(user.login);
      await page.locator('input[name=password]').fill(user.password);
      await page.locator('button[type=submit]').click();
      await page.waitForURL((url) => url.pathname !== '/login');
    },
    close: () => context.close(),
  };
}

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Serious and critical findings of axe on what is on screen, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Text that is still fading in has no contrast yet, and some of it may come while axe is looking.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(await readFile(axePath, 'utf8'));
  return page.evaluate(async () => {
    interface Finding {
      impact: string;
      id: string;
      nodes: { target: string[]; failureSummary: string }[];
    }
    const { axe } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: Finding[] }> };
    };
    // What is well is not written out.
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join('; ')}`,
      );
  });
}

import { type Browser, chromium } from 'playwright-core';
import { findBrowser } from '../../deploy/local/browser.ts';
import { createDebs } from '../../deploy/local/debs.ts';
import { cacheFolder } from '../../deploy/local/machine.ts';

/** Launches a headless Chromium with fonts of its own. Whoever launches it closes it. */
export async function launchBrowser(): Promise<Browser> {
  const cache = cacheFolder(process.env);
  const debs = createDebs({
    cache,
    env: process.env,
    notice: (text) => void process.stderr.write(`browser: ${text}\n`),
  });
  try {
    const { executable, env } = await findBrowser(debs, cache, process.env);
    return await chromium.launch({
      executablePath: executable,
      // Containers have neither the user namespaces a sandbox needs nor a large /dev/shm.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'],
      env: { ...withoutUndefined(process.env), ...env },
    });
  } finally {
    await debs.close();
  }
}

const withoutUndefined = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );

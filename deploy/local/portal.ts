import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { followFlags } from './node-service.ts';
import { takeLock } from './lock.ts';
import { run } from './machine.ts';

/** What the built portal is made from. */
const sources = ['dashboards', 'protocols/contract', 'protocols/templates', 'package-lock.json'];
const skipped = new Set(['node_modules', 'build', '.svelte-kit']);

/**
 * Builds the portal when its sources changed since the last build.
 * @returns the folder to serve, and whether it was built now.
 */
export async function buildPortal(
  root: string,
  signal?: AbortSignal,
): Promise<{ folder: string; built: boolean }> {
  const folder = join(root, 'dashboards/build');
  const stampFile = join(folder, '.stamp');
  const isFresh = async (stamp: string): Promise<boolean> =>
    existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp;

  if (await isFresh(await stampOf(root))) return { folder, built: false };
  const lock = await soleBuilder(root);
  try {
    const stamp = await stampOf(root);
    if (await isFresh(stamp)) return { folder, built: false };
    // Kit reads its working folder for the project.
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const cwd = join(root, 'dashboards');
    // A test runner says NODE_ENV=test, and what is built is served to people all the same.
    const env = { ...process.env, NODE_ENV: 'production' };
    await run(process.execPath, [...followFlags, vite, 'build'], { cwd, env, ...(signal && { signal }) });
    await writeFile(stampFile, stamp);
    return { folder, built: true };
  } finally {
    lock.release();
  }
}

/** A start and a test run may want the portal at the same time; it has one output folder. */
async function soleBuilder(root: string) {
  const folder = join(root, 'node_modules/.cache');
  await mkdir(folder, { recursive: true });
  for (;;) {
    const lock = takeLock(join(folder, 'portal.lock'));
    if (lock) return lock;
    await sleep(300);
  }
}

async function stampOf(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) await hashTree(join(root, source), root, hash);
  return hash.digest('hex');
}

async function hashTree(path: string, root: string, hash: ReturnType<typeof createHash>): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) {
    hash.update(`${relative(root, path)}\0`).update(await readFile(path));
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!skipped.has(entry.name) && !entry.isSymbolicLink() && !entry.name.includes('.test.'))
      await hashTree(join(path, entry.name), root, hash);
  }
}

import { join } from 'node:path';
import type { Context } from './context.ts';
import { readIfThere, writeWhole } from './files.ts';
import type { Parkline } from './parkline.ts';

/**
 * What finance and tenants of the demo park find: the tariff of the site, and a billed and locked month. The commands
 * know what they stored before, so one cut short is done again by the next start.
 * @returns false when both were there already.
 */
export async function openBooks(
  { root, home }: Pick<Context, 'root' | 'home'>,
  parkline: Parkline,
  account: string,
): Promise<boolean> {
  const done = join(home.history, 'booked.json');
  if ((await readIfThere(done)) !== undefined) return false;
  const own = ['--account', account];
  await parkline(['billing', 'tariff', join(root, 'deploy/local/demo-tariff.json'), ...own]);
  await parkline([
    'billing',
    'run',
    join(root, 'tests/fixtures/billing-2026-10'),
    '--store',
    '--lock',
    ...own,
  ]);
  await writeWhole(done, `${JSON.stringify({ account })}\n`);
  return true;
}

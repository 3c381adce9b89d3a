// Takes the pictures of the documentation from a park that runs: node tests/browser/pictures.ts [PARKLINE_HOME]
// Let the park run for an hour before, so that the trends are full.
import { join } from 'node:path';
import { readRunFile } from '../../deploy/local/run-file.ts';
import { launchBrowser } from '../support/browser.ts';
import { type Look, visit } from './visitor.ts';

const root = join(import.meta.dirname, '../..');
const home = process.argv[2] ?? process.env['PARKLINE_HOME'] ?? join(root, '.parkline');
const run = await readRunFile(join(home, 'run.json'));
if (!run) throw new Error(`no park runs in ${home}`);

const pictures: readonly (Look & {
  name: string;
  path: 'overview' | 'devices' | 'device';
  query?: string;
})[] = [
  { name: 'portal-overview-en', path: 'overview', language: 'en', theme: 'light', size: 'desktop' },
  { name: 'portal-overview-zh', path: 'overview', language: 'zh-CN', theme: 'light', size: 'desktop' },
  { name: 'portal-devices-en', path: 'devices', language: 'en', theme: 'light', size: 'desktop' },
  { name: 'portal-device-zh', path: 'device', language: 'zh-CN', theme: 'light', size: 'desktop' },
  {
    name: 'portal-device-dark-en',
    path: 'device',
    query: '?range=month',
    language: 'en',
    theme: 'dark',
    size: 'desktop',
  },
  {
    name: 'portal-phone-overview-zh',
    path: 'overview',
    language: 'zh-CN',
    theme: 'light',
    size: 'phone',
    scale: 2,
  },
  { name: 'portal-phone-device-en', path: 'device', language: 'en', theme: 'dark', size: 'phone', scale: 2 },
];

const browser = await launchBrowser();
for (const { name, path, query = '', ...look } of pictures) {
  const { page, login, close } = await visit(browser, run, look);
  await login();
  const reply = await page.request.get('/api/equipment');
  const { items } = (await reply.json()) as { items: { id: string }[] };
  const paths = {
    overview: '/engineer',
    devices: '/engineer/devices',
    // The first device of the demo park is the main incomer of its first building.
    device: `/engineer/devices/${items[0]?.id}`,
  };
  await page.goto(paths[path] + query);
  await page
    .locator({ overview: 'svg .line', devices: 'td [data-value]', device: '.u-over' }[path])
    .first()
    .waitFor();
  // A value may be in the middle of its flash.
  await page.waitForTimeout(2_000);
  await page.screenshot({ path: join(root, 'docs/images', `${name}.png`) });
  process.stdout.write(`${name}.png\n`);
  await close();
}
await browser.close();

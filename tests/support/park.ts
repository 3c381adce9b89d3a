import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunFile, RunUser } from '../../deploy/local/run-file.ts';

const root = join(import.meta.dirname, '../..');

/** Reads one route as a person who is logged in. */
export type Get = (path: string) => Promise<Response>;

/** A whole park, started as a user starts it. */
export interface RunningPark {
  readonly home: string;
  readonly run: RunFile;
  /** Everything the starter printed so far. */
  output(): string;
  /** Ids of the processes that live now, by name: postgres, nats, simulator, gateway-<key>, api, ingest, worker. */
  pids(): Promise<Readonly<Record<string, number>>>;
  /** SIGKILL to one process. @returns when it was sent, Unix ms. */
  kill(name: string): Promise<number>;
  /** Waits until `name` lives with another process id than `before`. */
  untilReplaced(name: string, before: number, timeoutMs?: number): Promise<void>;
  login(role?: string): Promise<Get>;
  stop(): Promise<void>;
}

export interface ParkOptions {
  /** Park file, from the root of the repository. */
  readonly park: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Reuses a home; the caller removes it. */
  readonly home?: string;
  readonly timeoutMs?: number;
}

/** Starts `deploy/local/start.ts` on free ports in a home of its own. @throws Error with its output when it does not get ready. */
export async function startPark(options: ParkOptions): Promise<RunningPark> {
  const home = options.home ?? (await scratchHome());
  const args = [join(root, 'deploy/local/start.ts'), '--park', options.park, ...(options.args ?? [])];
  const { DATABASE_URL: _database, NATS_URL: _nats, ...inherited } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...inherited, PORT: '0', PARKLINE_HOME: home, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  await untilReady(child, () => output, options.timeoutMs ?? 240_000);
  const run = JSON.parse(await readFile(join(home, 'run.json'), 'utf8')) as RunFile;
  const pids = async () =>
    Object.fromEntries(
      (
        JSON.parse(await readFile(join(home, 'processes.json'), 'utf8')) as { name: string; pid: number }[]
      ).map(({ name, pid }) => [name, pid]),
    );

  return {
    home,
    run,
    output: () => output,
    pids,
    async kill(name) {
      const pid = (await pids())[name];
      if (pid === undefined) throw new Error(`${name} does not run: ${JSON.stringify(await pids())}`);
      process.kill(pid, 'SIGKILL');
      return Date.now();
    },
    async untilReplaced(name, before, timeoutMs = 60_000) {
      await until(
        async () => ![undefined, before].includes((await pids())[name]),
        timeoutMs,
        `${name} is back`,
      );
    },
    login: (role) => login(run, role),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      if (options.home === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}

/** A folder that the database's own user may enter, also when the tests run as root. */
export async function scratchHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'parkline-home-'));
  await chmod(home, 0o711);
  return home;
}

/** Polls `check` until it holds. @throws Error naming `what` after `timeoutMs`. */
export async function until(
  check: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(100);
  }
}

async function untilReady(child: ChildProcess, output: () => string, timeoutMs: number): Promise<void> {
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await until(
    () => ended() || /^ready http/m.test(output()),
    timeoutMs,
    `the park is ready; it said:\n${output()}`,
  );
  if (ended()) throw new Error(`the park did not start:\n${output()}`);
}

/** Logs in as the first of a role; `account` is the key of another park than the one that runs. */
export async function login(run: RunFile, role = 'facility_engineer', account?: string): Promise<Get> {
  const user = run.users.find((one) => one.role === role && one.account === account);
  if (!user) throw new Error(`run.json has no ${role} of ${account ?? 'the park'}`);
  const cookie = await cookieOf(run, user);
  return (path) => fetch(run.url + path, { headers: { cookie } });
}

/** Logs one person in. @returns the cookie of the session, as the requests after it carry it. */
export async function cookieOf({ url }: RunFile, user: RunUser): Promise<string> {
  const reply = await fetch(`${url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: user.login, password: user.password }),
  });
  if (reply.status !== 204) throw new Error(`login answered ${reply.status}: ${await reply.text()}`);
  return reply.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
}

/** What a page of the portal sends with a request of a session: its cookies, and the token that changes need. */
export const headersOf = (cookie: string): Readonly<Record<'cookie' | 'x-csrf-token', string>> => ({
  cookie,
  'x-csrf-token': /parkline_csrf=([^;]*)/.exec(cookie)?.[1] ?? '',
});

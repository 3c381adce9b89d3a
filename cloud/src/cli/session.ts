import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Client, createClient } from '@parkline/client';
import type { SessionState } from '@parkline/contract';
import type { Command } from 'commander';
import { type Io, NoServiceError, readArgument, runUsers } from './io.ts';

/** The API, as one person who is logged in: `ask` and `all` by the names and types of its description. */
export interface Session extends Client {
  /** @throws Error with what the API says, and the fields it blames. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: object): Promise<T>;
  /** Whatever the two above are not: other methods, headers, files. @throws as they do. */
  send(method: string, path: string, extra?: Extra): Promise<Response>;
}

interface Extra {
  readonly body?: object;
  /** A file, sent as it is. */
  readonly file?: { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> };
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who is to log in. */
export interface Who {
  /** Login; absent: PARKLINE_LOGIN, else whoever has `role` in the park that runs here. */
  readonly login?: string;
  /** File with a code of the second factor, - for standard input; absent: PARKLINE_CODE_FILE, else the terminal is asked. */
  readonly codeFile?: string;
  readonly role: string;
}

/** Options of every command that logs in. */
export const loginOptions = (command: Command): Command =>
  command
    .option(
      '--login <login>',
      'who does it; PARKLINE_LOGIN, else the usual person of the park that runs here; the password comes from PARKLINE_PASSWORD or standard input',
    )
    .option(
      '--code-file <path>',
      'file with a code of the second factor or a recovery code, - for standard input; PARKLINE_CODE_FILE, else the terminal is asked',
    );

/**
 * Logs in, works, logs out. The address is PARKLINE_URL, else that of the park that runs here. The password is
 * PARKLINE_PASSWORD, else the one noted for the park that runs here, else standard input: never an argument, which others see.
 * Who has a second factor gives a code of it, too.
 * @throws NoServiceError when nobody says where the park is.
 */
export async function withSession(
  io: Io,
  who: Who,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const { url, login, password } = credentials(io, who);
  const call = caller(url);
  await call('POST', '/api/login', { login, password }).catch((cause: unknown) => {
    throw new Error(`${login} cannot log in: ${(cause as Error).message}`, { cause });
  });
  try {
    await giveSecondFactor(io, who, call);
    const client = createClient(async ({ method, path, query, body, headers }) => {
      const reply = await call(method, withQuery(path, query), body, headers && { headers });
      return reply.status === 204 ? undefined : reply.json();
    });
    await work({
      ...client,
      get: async <T>(path: string) => (await (await call('GET', path)).json()) as T,
      post: async <T>(path: string, body?: object) => (await (await call('POST', path, body)).json()) as T,
      send: (method, path, { body, ...extra } = {}) => call(method, path, body, extra),
    });
  } finally {
    await call('POST', '/api/logout').catch(() => undefined); // The session ends by itself, too.
  }
}

/** `/api/things?a=1` of what is given. */
function withQuery(path: string, query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
}

type Call = (method: string, path: string, body?: object, extra?: Omit<Extra, 'body'>) => Promise<Response>;

/** Calls as a browser would: with the cookies it was given last, and the session's token where something changes. */
function caller(url: string): Call {
  const jar = new Map<string, string>();
  return async (method, path, body, { file, headers } = {}) => {
    const csrf = jar.get('__Host-parkline_csrf') ?? jar.get('parkline_csrf');
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: {
        'accept-language': 'en',
        ...(jar.size > 0 && { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...(csrf && { 'x-csrf-token': csrf }),
        ...(body && { 'content-type': 'application/json' }),
        ...(file && { 'content-type': file.type }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
      ...(file && { body: file.bytes }),
    }).catch((cause: unknown) => {
      throw new Error(`${url} does not answer: is the park running?`, { cause });
    });
    for (const cookie of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      jar.set(name, value);
    }
    if (!reply.ok) throw new Error(await wordsOf(reply));
    return reply;
  };
}

async function giveSecondFactor(io: Io, who: Who, call: Call): Promise<void> {
  const { stage, kinds = [] } = (await (await call('GET', '/api/session')).json()) as SessionState;
  if (stage === 'enrol')
    throw new Error('your rights need a second factor: log in to the portal once and set one up');
  if (stage !== 'give') return;
  const file = who.codeFile ?? io.env['PARKLINE_CODE_FILE'];
  const code = file ? readArgument(io, file) : await askCode(io, kinds.includes('totp'));
  await call('POST', '/api/me/second-factor/code', { code: code.trim() });
}

/** @throws Error naming --code-file where nobody sits at a terminal. */
async function askCode(io: Io, hasApp: boolean): Promise<string> {
  if (!process.stdin.isTTY)
    throw new Error(
      'a second factor is needed: name a file with a code with --code-file or PARKLINE_CODE_FILE',
    );
  io.err(hasApp ? 'code of your authenticator app, or a recovery code:' : 'a recovery code:');
  const lines = createInterface({ input: process.stdin });
  try {
    const [line] = (await once(lines, 'line')) as [string];
    return line;
  } finally {
    lines.close();
  }
}

function credentials(io: Io, { login: named, role }: Who) {
  const { env } = io;
  const here = env['PARKLINE_URL'] ? undefined : runUsers(io);
  const url = env['PARKLINE_URL'] ?? here?.url;
  if (!url) throw new NoServiceError('no park runs here: start one with npm start, or set PARKLINE_URL');
  const wanted = named ?? env['PARKLINE_LOGIN'];
  const known = here?.users.find((user) => (wanted ? user.login === wanted : user.role === role));
  const login = wanted ?? known?.login;
  if (!login)
    throw new Error(
      'who are you? Name a login with --login or PARKLINE_LOGIN, and its password in PARKLINE_PASSWORD',
    );
  const password = env['PARKLINE_PASSWORD'] ?? known?.password ?? readFileSync(0, 'utf8').trim();
  return { url: url.replace(/\/$/, ''), login, password };
}

interface Refusal {
  readonly message?: string;
  readonly details?:
    readonly { readonly field: string; readonly message: string }[] | { readonly why?: string };
}

/** What the API said, with what it blames. */
async function wordsOf(reply: Response): Promise<string> {
  const { message, details } = (await reply.json().catch(() => ({}))) as Refusal;
  const blamed = Array.isArray(details)
    ? details
        .map(({ field, message: why }: { field: string; message: string }) => `${field}: ${why}`)
        .join('; ')
    : (details as { why?: string } | undefined)?.why;
  return [message ?? `HTTP ${reply.status}`, blamed].filter(Boolean).join(' ');
}

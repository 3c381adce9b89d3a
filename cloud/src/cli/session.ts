import { type Client, createClient } from '@parkline/client';
import type { Command } from 'commander';
import { ApiRefusal, type Call, type Caller, createCaller } from './api-call.ts';
import { keyCall, namedKey, type WhoFlags } from './api-key.ts';
import { type Io, nobodyHere, NoServiceError, readArgument, runUsers } from './io.ts';
import { forgetSession, keepSession, type KeptSession, readKeptSession } from './kept-session.ts';
import { ask, readPassword } from './prompt.ts';

/** The API, as one person who is logged in, or as a program with a key. Its calls reject with what the API says, and the fields it blames. */
export type Session = Client;

/** Who is to act. */
export interface Who extends WhoFlags {
  /** Without a login, and none in PARKLINE_LOGIN: whoever has it in the park that runs here. */
  readonly role: string;
}

/** Options of every command that works through the API. */
export const whoOptions = (command: Command): Command =>
  loginOptions(command).option(
    '--key-file <path>',
    'file with the API key of a program, - for standard input; PARKLINE_API_KEY_FILE, or the key itself in PARKLINE_API_KEY',
  );

/** Options of every command that logs in. */
export const loginOptions = (command: Command): Command =>
  command
    .option(
      '--login <login>',
      'who does it; PARKLINE_LOGIN, else whoever logged in with parkline login, else the usual person of the park that runs here; the password comes from PARKLINE_PASSWORD or standard input',
    )
    .option(
      '--code-file <path>',
      'file with a code of the second factor or a recovery code, - for standard input; PARKLINE_CODE_FILE, else the terminal is asked',
    );

/**
 * Works with the API key that is named; else in the session that `parkline login` keeps for this address and person; else logs
 * in, works, logs out. The address is PARKLINE_URL, else that of the park that runs here, else that of the session that is kept. Who names a password in
 * PARKLINE_PASSWORD logs in anew. Where the API asks for a fresh second factor, a code of it is given.
 * @throws NoServiceError when nobody says where the park is.
 */
export async function withSession(
  io: Io,
  who: Who,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const key = namedKey(io, who);
  if (key !== undefined) return work(createClient(keyCall(io, withoutSlash(placeOf(io).url), key)));
  const kept = keptFor(io, who);
  if (kept) return work(createClient(keptCall(io, who, kept)));
  const caller = await openSession(io, who, await credentials(io, who));
  try {
    await work(createClient(fresh(io, who, caller.call)));
  } finally {
    await caller.ask('logout').catch(() => undefined); // The session ends by itself, too.
  }
}

/** Who logs in where. The password is never an argument, which others see. */
export interface Credentials {
  /** Without a slash at its end. */
  readonly url: string;
  readonly login: string;
  readonly password: string;
}

/**
 * A session of its own, with its second factor given where the person has one. It stays until somebody ends it.
 * @throws Error in words when the server lets nobody in.
 */
export async function openSession(
  io: Io,
  who: Pick<Who, 'codeFile'>,
  { url, login, password }: Credentials,
): Promise<Caller> {
  const caller = createCaller(io, url);
  await caller.ask('login', { body: { login, password } }).catch((cause: unknown) => {
    throw new Error(`${login} cannot log in: ${(cause as Error).message}`, { cause });
  });
  try {
    const { stage } = await caller.ask('getSession');
    if (stage === 'enrol')
      throw new Error('your rights need a second factor: log in to the portal once and set one up');
    if (stage === 'give') await giveSecondFactor(io, who, caller);
    return caller;
  } catch (error) {
    await caller.ask('logout').catch(() => undefined);
    throw error;
  }
}

const isRefusal = (error: unknown, code: string): boolean =>
  error instanceof ApiRefusal && error.code === code;

/** Gives a code where the API asks for a fresh one, and asks again; what it refused it has not done. */
const fresh =
  (io: Io, who: Who, call: Call, given?: () => void): Call =>
  async (request) => {
    try {
      return await call(request);
    } catch (error) {
      if (!isRefusal(error, 'second_factor_needed')) throw error;
      await giveSecondFactor(io, who, createClient(call));
      given?.();
      return call(request);
    }
  };

/**
 * Calls in a session that outlives the command. A fresh second factor gives it other cookies, which are kept in turn; a
 * command beside this one may have done so meanwhile.
 */
function keptCall(io: Io, who: Who, first: KeptSession): Call {
  let kept = first;
  let caller = createCaller(io, kept.url, kept.cookies);
  const keep = (): void => void keepSession(io, (kept = { ...kept, cookies: caller.cookies() }));
  const call: Call = fresh(io, who, (request) => caller.call(request), keep);
  return async (request) => {
    try {
      return await call(request);
    } catch (error) {
      if (!isRefusal(error, 'not_logged_in')) throw error;
      const other = keptFor(io, who);
      if (!other || JSON.stringify(other.cookies) === JSON.stringify(kept.cookies)) {
        forgetSession(io);
        throw new Error(`the session of ${kept.login} at ${kept.url} is over: parkline login`, {
          cause: error,
        });
      }
      kept = other;
      caller = createCaller(io, kept.url, kept.cookies);
      return call(request);
    }
  };
}

/** The kept session, where it is the one that is meant. */
function keptFor(io: Io, who: Pick<Who, 'login'>): KeptSession | undefined {
  if (io.env['PARKLINE_PASSWORD']) return undefined;
  const kept = readKeptSession(io);
  const wanted = wantedUrl(io);
  if (!kept || (wanted !== undefined && wanted !== kept.url)) return undefined;
  const login = who.login ?? io.env['PARKLINE_LOGIN'];
  return login === undefined || login === kept.login ? kept : undefined;
}

async function giveSecondFactor(io: Io, who: Pick<Who, 'codeFile'>, api: Client): Promise<void> {
  const { kinds = [] } = await api.ask('getSession');
  const file = who.codeFile ?? io.env['PARKLINE_CODE_FILE'];
  const question = kinds.includes('totp')
    ? 'code of your authenticator app, or a recovery code:'
    : 'a recovery code:';
  const code = file
    ? readArgument(io, file)
    : await ask(io, question, {
        otherwise:
          'a second factor is needed: name a file with a code with --code-file or PARKLINE_CODE_FILE',
      });
  await api.ask('giveSecondFactorCode', { body: { code: code.trim() } });
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/** Where the park is, as far as the environment and the park that runs here tell. */
function wantedUrl(io: Io): string | undefined {
  const url = io.env['PARKLINE_URL'] ?? runUsers(io)?.url;
  return url === undefined ? undefined : withoutSlash(url);
}

/** Where the API is; `here`: the park that runs on this machine, where that is the one. @throws NoServiceError, Error saying what to name. */
function placeOf(io: Io, asked?: string) {
  const elsewhere = asked ?? io.env['PARKLINE_URL'];
  const here = elsewhere ? undefined : runUsers(io);
  const url = elsewhere ?? here?.url;
  if (!url) throw new NoServiceError(`${nobodyHere(io)}, or set PARKLINE_URL`);
  if (!/^https?:\/\/[^/]/.test(url)) throw new Error(`${url} is no address: it begins with https://`);
  return { url, here };
}

/** `url`: named on the command line. @throws NoServiceError, Error saying what to name. */
export function whoAndWhere(
  io: Io,
  { login: named, role, url: asked }: Pick<Who, 'login' | 'role'> & { readonly url?: string },
): Omit<Credentials, 'password'> & { readonly password: string | undefined } {
  const { env } = io;
  const { url, here } = placeOf(io, asked);
  const wanted = named ?? env['PARKLINE_LOGIN'];
  const known = here?.users.find((user) => (wanted ? user.login === wanted : user.role === role));
  const login = wanted ?? known?.login;
  if (!login)
    throw new Error(
      'who are you? Log in with parkline login, or name --login or PARKLINE_LOGIN, and the password in PARKLINE_PASSWORD',
    );
  return { url: withoutSlash(url), login, password: env['PARKLINE_PASSWORD'] ?? known?.password };
}

async function credentials(io: Io, who: Who): Promise<Credentials> {
  const found = whoAndWhere(io, who);
  return { ...found, password: found.password ?? (await readPassword(io, found.login)) };
}

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { whyUnread } from '@parkline/contract/unread';
import { ApiRefusal, type Call, createCaller } from './api-call.ts';
import type { Io } from './io.ts';

/** What of the command line says who acts. */
export interface WhoFlags {
  readonly login?: string;
  readonly codeFile?: string;
  /** File with the API key of a program, - for standard input. */
  readonly keyFile?: string;
}

/** A key as the API tells it once: `pk_<32 hex digits>_<43 of base64url>`. */
const KEY = /^pk_[0-9a-f]{32}_[\w-]{43}$/;

/**
 * The API key that a program acts with: of `--key-file`, of PARKLINE_API_KEY_FILE, or in PARKLINE_API_KEY. Never an argument,
 * which others see. Undefined: none is named, or the command line names a person.
 * @throws Error naming where it should have been, and never what was there.
 */
export function namedKey(io: Io, { login, codeFile, keyFile }: WhoFlags): string | undefined {
  const isPerson = login !== undefined || codeFile !== undefined;
  if (keyFile !== undefined) {
    if (isPerson) throw usage('--key-file is for a program, --login and --code-file are for a person');
    return checked(readKeyFile(io, keyFile), keyFile);
  }
  if (isPerson) return undefined;
  const { PARKLINE_API_KEY: key, PARKLINE_API_KEY_FILE: file } = io.env;
  if (key && file) throw usage('PARKLINE_API_KEY and PARKLINE_API_KEY_FILE are both set: unset one');
  if (file) return checked(readKeyFile(io, file), file);
  return key ? checked(key, 'PARKLINE_API_KEY') : undefined;
}

function checked(text: string, where: string): string {
  const key = text.trim();
  if (KEY.test(key)) return key;
  throw new Error(
    `${where} holds no API key: one begins with pk_ and is shown once, when it is made (Administration, Integrations)`,
  );
}

/** @throws Error when others may read the file. */
function readKeyFile(io: Io, path: string): string {
  if (path === '-') return readFileSync(0, 'utf8');
  const file = resolve(io.cwd, path);
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (cause) {
    throw new Error(`cannot read the API key: ${whyUnread(path, cause)}`, { cause });
  }
  try {
    const { mode } = fstatSync(fd);
    if ((mode & 0o077) === 0) return readFileSync(fd, 'utf8');
    throw new Error(
      `${file} is open to others (mode ${(mode & 0o777).toString(8)}), so the API key in it is not used: chmod 600, and make another one if somebody read it`,
    );
  } finally {
    closeSync(fd);
  }
}

/** Calls as a program does: what it may not, it is told in the words of keys. */
export function keyCall(io: Io, url: string, key: string): Call {
  const { call } = createCaller(io, url, {}, key);
  return async (request) => {
    try {
      return await call(request);
    } catch (error) {
      const words = error instanceof ApiRefusal ? refusalWords(url, error) : undefined;
      throw words === undefined ? error : new Error(words, { cause: error });
    }
  };
}

/** Undefined: the refusal has nothing to do with the key. */
function refusalWords(url: string, { code, details }: ApiRefusal): string | undefined {
  if (code === 'not_logged_in')
    return `${url} does not know this API key: it is of another park, was revoked, or its last day is over`;
  if (code !== 'forbidden') return undefined;
  const { permission, why } = details as { readonly permission?: string; readonly why?: string };
  if (permission !== undefined)
    return `this API key lacks the scope ${permission}: give it to one (Administration, Integrations) whose maker has the right`;
  return why === 'person' || why === 'api_key'
    ? 'no API key may do this, whatever its scopes: a person does, after parkline login'
    : undefined;
}

const usage = (message: string): Error => Object.assign(new Error(message), { code: 'usage' });

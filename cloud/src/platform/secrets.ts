import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AppError } from './errors.ts';

/** Why something was not sealed or not opened; in `details.why` of the AppError 'unavailable'. */
export type SecretFault = 'no_secret_keys' | 'bad_secret_keys' | 'unknown_secret_key' | 'broken_secret';

/**
 * Keeps secrets of others (TOTP seeds, client secrets, what devices are logged in to with) unreadable in the database.
 * Columns that hold sealed text are named `sealed_*`: that is how rotation finds them all.
 */
export interface Secrets {
  /**
   * AES-256-GCM under the first key of the file: `sealed:v1:<key id>:<base64url of nonce, ciphertext, tag>`.
   * @param place where it will be kept, from `sealedPlace`: moved to another row or column it does not open.
   * @throws AppError 'unavailable' when there are no keys.
   */
  readonly seal: (plain: string, place: string) => string;
  /** @throws AppError 'unavailable' when its key is gone, or when it was changed or comes from another place. */
  readonly open: (sealed: string, place: string) => string;
  /** Whether it is sealed with the key that `seal` uses. @throws AppError 'unavailable' when there are no keys. */
  readonly isCurrent: (sealed: string) => boolean;
}

/** A key of the file; its id is written into what it seals. */
export interface SealingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

const SEALED = /^sealed:v1:([a-z0-9-]{1,32}):([A-Za-z0-9_-]{38,})$/;
const KEY_LINE = /^([a-z0-9-]{1,32})\s+([A-Za-z0-9+/]{43}=)$/;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Names one value of the database: `sealedPlace('person_totp', 'sealed_seed', personId)`; a row by its primary key, in order. */
export const sealedPlace = (table: string, column: `sealed_${string}`, ...key: readonly string[]): string =>
  `${table}.${column}/${key.join('/')}`;

/** The key id that a sealed text names; undefined when it is none. Pure. */
export const keyIdOf = (sealed: string): string | undefined => SEALED.exec(sealed)?.[1];

/**
 * `file` holds one key a line, `<id> <base64 of 32 bytes>`, the current one first; # begins a comment. It is read when it
 * is first needed, and again when a sealed text names a key that was not in it. Without a file nothing is sealed or opened.
 */
export function createSecrets(file: string | undefined): Secrets {
  let known: readonly SealingKey[] | undefined;
  const keys = (): readonly SealingKey[] => (known ??= readKeys(file));
  const current = (): SealingKey => keys()[0] as SealingKey;
  const keyOf = (id: string): SealingKey => {
    const find = () => keys().find((key) => key.id === id);
    const found = find();
    if (found) return found;
    known = undefined;
    return find() ?? fail('unknown_secret_key', `the key ${id} of a secret is not in ${file}: put it back`);
  };
  return {
    seal: (plain, place) => sealWith(current(), plain, place),
    open(sealed, place) {
      const [, id, data] = SEALED.exec(sealed) ?? fail('broken_secret', `${place} holds no sealed text`);
      return openWith(keyOf(id as string), data as string, place);
    },
    isCurrent: (sealed) => keyIdOf(sealed) === current().id,
  };
}

/** A line for the key file, with a new key. */
export const newKeyLine = (id: string): string => `${id} ${randomBytes(32).toString('base64')}`;

/** @throws AppError 'unavailable' naming the file and the line that is none. */
export function parseKeys(text: string, file: string): readonly SealingKey[] {
  const lines = text.split(/\r?\n/).map((line, at) => ({ line: line.replace(/#.*/, '').trim(), at: at + 1 }));
  const keys = lines
    .filter(({ line }) => line !== '')
    .map(({ line, at }) => {
      const [, id = '', base64 = ''] =
        KEY_LINE.exec(line) ?? fail('bad_secret_keys', `${file}:${at}: expected "<id> <base64 of 32 bytes>"`);
      return { id, key: Buffer.from(base64, 'base64') };
    });
  if (keys.length === 0) fail('no_secret_keys', `${file} holds no key: parkline secrets add-key makes one`);
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    fail('bad_secret_keys', `${file} names two keys alike`);
  return keys;
}

function readKeys(file: string | undefined): readonly SealingKey[] {
  if (file === undefined)
    fail('no_secret_keys', 'secrets cannot be kept: SECRETS_KEY_FILE names no file with a key');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    fail('no_secret_keys', `secrets cannot be kept: SECRETS_KEY_FILE ${file} cannot be read`, cause);
  }
  return parseKeys(text, file);
}

function sealWith({ id, key }: SealingKey, plain: string, place: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad(id, place));
  const parts = [nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `sealed:v1:${id}:${Buffer.concat(parts).toString('base64url')}`;
}

function openWith({ id, key }: SealingKey, data: string, place: string): string {
  const bytes = Buffer.from(data, 'base64url');
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), options)
    .setAAD(aad(id, place))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const parts = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return Buffer.concat(parts).toString('utf8');
  } catch (cause) {
    return fail(
      'broken_secret',
      `${place} was changed, moved, or sealed with another key named ${id}`,
      cause,
    );
  }
}

const aad = (id: string, place: string): Buffer => Buffer.from(`parkline v1 ${id} ${place}`);

function fail(why: SecretFault, message: string, cause?: unknown): never {
  throw new AppError('unavailable', message, { details: { why }, cause });
}

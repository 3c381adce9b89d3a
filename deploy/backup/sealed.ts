import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { BackupError, type BackupKey } from './keys.ts';

/** A file begins with this word, the id of its key and a time (Unix ms), up to the first line end; then the salt. */
const MAGIC = 'parkline-sealed-1';
const HEAD = /^parkline-sealed-1 ([a-z0-9-]{1,32}) (\d{1,15})$/;
/** More than the longest head. */
export const HEAD_BYTES = 80;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
/** Of plain text in one part. Each part has a tag of its own, so nothing unproven is ever passed on. */
const PART_BYTES = 1024 * 1024;

/** What a sealed file says of itself before it is opened. The tags hold it, too. */
export interface Head {
  readonly keyId: string;
  /** When what it holds was written, Unix ms. */
  readonly at: number;
}

/** The head of a file that begins with `bytes` (HEAD_BYTES of them, or all). @throws BackupError when it is no sealed file. */
export function readHead(bytes: Buffer, name: string): Head {
  const [, keyId, at] = HEAD.exec(headLine(bytes)) ?? [];
  if (keyId === undefined)
    throw new BackupError(`${name} is no sealed file: it was altered, or is something else`);
  return { keyId, at: Number(at) };
}

const headLine = (bytes: Buffer): string =>
  bytes.subarray(0, HEAD_BYTES).toString('latin1').split('\n')[0] ?? '';

/**
 * Seals a stream with AES-256-GCM, part by part, under a key of its own that only this name and time give.
 * @param name the piece, as `base/20261123T030000Z/database`: under another one it does not open.
 * @param at Unix ms.
 */
export async function* seal(
  source: AsyncIterable<Buffer>,
  { id, key }: BackupKey,
  name: string,
  at: number,
): AsyncGenerator<Buffer, void, undefined> {
  const head = `${MAGIC} ${id} ${at}`;
  const salt = randomBytes(SALT_BYTES);
  const own = keyOf(key, salt, head, name);
  yield Buffer.concat([Buffer.from(`${head}\n`), salt]);
  for await (const { part, number, isLast } of parts(source, PART_BYTES)) {
    const cipher = createCipheriv('aes-256-gcm', own, nonceOf(number, isLast));
    yield Buffer.concat([cipher.update(part), cipher.final(), cipher.getAuthTag()]);
  }
}

/**
 * Opens what `seal` made under the same name. Every part is proven before it is passed on, and that it was the last, too.
 * @throws BackupError that tells a key that is not there from bytes that were altered or are missing.
 */
export async function* unseal(
  source: AsyncIterable<Buffer>,
  keys: readonly BackupKey[],
  name: string,
): AsyncGenerator<Buffer, void, undefined> {
  let own: Buffer | undefined;
  for await (const { part, number, isLast } of parts(afterHead(), PART_BYTES + TAG_BYTES)) {
    if (part.length < TAG_BYTES || own === undefined) throw broken();
    const decipher = createDecipheriv('aes-256-gcm', own, nonceOf(number, isLast));
    decipher.setAuthTag(part.subarray(-TAG_BYTES));
    try {
      yield Buffer.concat([decipher.update(part.subarray(0, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw cause instanceof BackupError ? cause : broken();
    }
  }

  /** The bytes behind head and salt; `own` is known before the first of them. */
  async function* afterHead(): AsyncGenerator<Buffer, void, undefined> {
    let begin = Buffer.alloc(0);
    for await (const bytes of source) {
      if (own !== undefined) {
        yield bytes;
        continue;
      }
      begin = Buffer.concat([begin, bytes]);
      if (begin.length < HEAD_BYTES + SALT_BYTES) continue;
      yield openHead(begin);
    }
    if (own === undefined) yield openHead(begin);
  }

  function openHead(begin: Buffer): Buffer {
    const head = headLine(begin);
    const { keyId } = readHead(begin, name);
    const key = keys.find(({ id }) => id === keyId);
    if (!key) throw new BackupError(`${name} was sealed with the key ${keyId}, which is not in the key file`);
    const from = head.length + 1;
    if (begin.length < from + SALT_BYTES) throw broken();
    own = keyOf(key.key, begin.subarray(from, from + SALT_BYTES), head, name);
    return begin.subarray(from + SALT_BYTES);
  }

  function broken(): BackupError {
    return new BackupError(
      `${name} does not open: it was altered, is not whole, or its key is another one of the same name`,
    );
  }
}

/** One key for one file: the same bytes under another name, or with another head, do not open. */
const keyOf = (key: Buffer, salt: Buffer, head: string, name: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, `${head}\0${name}`, 32));

/** 12 bytes: the number of the part, and whether it is the last, so that none can be left out, moved or cut off. */
function nonceOf(part: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(part, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

interface Part {
  readonly part: Buffer;
  /** From 0. */
  readonly number: number;
  readonly isLast: boolean;
}

/** A stream cut into parts of `size` bytes; the last may be shorter and is empty only when everything is. */
async function* parts(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<Part, void, undefined> {
  let waiting: Buffer[] = [];
  let held = 0;
  let number = 0;
  for await (const bytes of source) {
    waiting.push(bytes);
    held += bytes.length;
    if (held <= size) continue; // Only the end tells which part is the last.
    let rest = Buffer.concat(waiting);
    for (; rest.length > size; rest = rest.subarray(size))
      yield { part: rest.subarray(0, size), number: number++, isLast: false };
    waiting = [rest];
    held = rest.length;
  }
  yield { part: Buffer.concat(waiting), number, isLast: true };
}

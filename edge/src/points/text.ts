import { gunzipSync } from 'node:zlib';
import type { Fault } from './point.ts';

/** Files above this are refused: everything is held in memory once. */
export const MAX_BYTES = 64 * 1024 * 1024;

/** The file is no text that can be read. The message says what it seems to be and what would do. */
export class TextError extends Error {
  override readonly name = 'TextError';
}

/** Lines of a file, above anything that a gateway can hold. */
const MAX_LINES = 1_000_000;
/** Characters of one line of a table. */
const MAX_LINE = 1_000_000;

/** Beginnings of files that people take for tables. */
const magic: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], 'a ZIP archive or an Excel workbook: save the sheet as CSV first'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'an old Excel workbook: save the sheet as CSV first'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF: ask for the list as CSV'],
  [[0x89, 0x50, 0x4e, 0x47], 'a picture'],
  [[0xff, 0xd8, 0xff], 'a picture'],
  [[0x7f, 0x45, 0x4c, 0x46], 'a program'],
];

/**
 * Reads bytes as text: gunzips, and finds the encoding among UTF-8, UTF-16, GBK and Latin-1 (as Windows means it).
 * @param encoding A label of the Encoding standard, to be used instead of guessing.
 * @throws TextError
 */
export function decodeText(given: Uint8Array, encoding?: string): { text: string; encoding: string } {
  const bytes = inflate(given);
  if (bytes.length > MAX_BYTES) throw tooLarge();
  if (bytes.length === 0) throw new TextError('the file is empty');
  const known = magic.find(([start]) => start.every((byte, at) => bytes[at] === byte));
  if (known) throw new TextError(`the file is ${known[1]}`);
  const label = encoding ?? guessEncoding(bytes);
  const text = decode(bytes, label);
  if (isBinary(text)) throw new TextError('the file is not text: it is full of control characters');
  if (text.trim() === '') throw new TextError('the file holds nothing but blanks');
  const lines = text.replace(/\r\n?/g, '\n');
  if (countOf(lines, '\n', MAX_LINES) > MAX_LINES) {
    throw new TextError(`the file has more than ${MAX_LINES} lines: import it in pieces`);
  }
  return { text: lines, encoding: label };
}

/** How often a sign is there, counted no further than one above `most`. */
export function countOf(text: string, sign: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(sign); at >= 0 && count <= most; at = text.indexOf(sign, at + 1)) count += 1;
  return count;
}

/** The first line that is too long for a table, or undefined. A cell of many lines is not looked into. */
export function longLine(text: string): Fault | undefined {
  for (let start = 0, row = 1; start < text.length; row += 1) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    if (end - start > MAX_LINE) {
      return {
        row,
        field: 'row',
        message: `is ${end - start} characters long, at most ${MAX_LINE} are read`,
      };
    }
    start = end + 1;
  }
  return undefined;
}

const tooLarge = (): TextError =>
  new TextError(`the file is larger than ${MAX_BYTES / 1024 / 1024} MiB: import it in pieces`);

function inflate(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new TextError(`the file is a damaged gzip: ${(cause as Error).message}`, { cause });
  }
}

function decode(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder(label).decode(bytes);
  } catch (cause) {
    throw new TextError(`${label} is not an encoding; there are utf-8, utf-16le, gbk, latin1`, { cause });
  }
}

/** More control characters than a stray one here and there. */
function isBinary(text: string): boolean {
  const sample = text.slice(0, 65_536);
  // eslint-disable-next-line no-control-regex -- they are the question
  const strange = sample.match(/[\u0000-\u0008\u000b\u000e-\u001f\u007f]/g)?.length ?? 0;
  return strange > 4 && strange > sample.length / 50;
}

/** The encoding that a file most likely has. */
export function guessEncoding(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const wide = guessWide(bytes);
  if (wide) return wide;
  if (decodes(bytes, 'utf-8')) return 'utf-8';
  return seemsChinese(bytes) && decodes(bytes, 'gb18030') ? 'gb18030' : 'windows-1252';
}

/** UTF-16 without a mark: every other byte of plain text is zero. */
function guessWide(bytes: Uint8Array): string | undefined {
  const length = Math.min(bytes.length, 4_096) & ~1;
  if (length < 4) return undefined;
  const zeros = [0, 0];
  for (let at = 0; at < length; at += 1) if (bytes[at] === 0) zeros[at & 1]! += 1;
  const half = length / 2;
  if (zeros[1]! > half * 0.6 && zeros[0]! < half * 0.05) return 'utf-16le';
  if (zeros[0]! > half * 0.6 && zeros[1]! < half * 0.05) return 'utf-16be';
  return undefined;
}

function decodes(bytes: Uint8Array, label: string): boolean {
  try {
    new TextDecoder(label, { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false; // TypeError is the only way it says no.
  }
}

/**
 * GBK or Latin-1? Chinese comes in pairs of high bytes, most often several in a row; in western words a high byte stands
 * alone, or a pair of them within small letters ("Größe").
 */
function seemsChinese(bytes: Uint8Array): boolean {
  let chinese = 0;
  let western = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at]! < 0x80) continue;
    const start = at;
    while (at < bytes.length && bytes[at]! >= 0x80) at += 1;
    const run = at - start;
    if (run % 2 === 1) western += run;
    else if (run === 2 && isSmall(bytes[start - 1]) && isSmall(bytes[at])) western += run;
    else if (isHanzi(bytes, start, at)) chinese += run;
    else western += run;
  }
  return chinese > western;
}

const isSmall = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x61 && byte <= 0x7a;

/** GB 2312 rows 1-9 (signs) and 16-87 (characters). */
function isHanzi(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 2) {
    const [lead, trail] = [bytes[at]!, bytes[at + 1]!];
    if (trail < 0xa1 || !((lead >= 0xa1 && lead <= 0xa9) || (lead >= 0xb0 && lead <= 0xf7))) return false;
  }
  return true;
}

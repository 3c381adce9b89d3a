import { inflateRawSync } from 'node:zlib';

/** Parts of a workbook; one with plain tables has a dozen. */
const MOST_ENTRIES = 500;
const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;

interface Entry {
  readonly method: number;
  readonly packed: Buffer;
}

/**
 * Looks into a workbook before a library does: unpacks every part against one budget for all, whatever sizes the file
 * states, and refuses cells so far out that a table up to them would fill the memory. APPNOTE 6.3 clause 4.3, ECMA-376
 * part 1 clause 18.3.1.73. @returns why it is refused, or undefined.
 */
export function checkWorkbook(
  bytes: Buffer,
  limits: { readonly unpackedBytes: number; readonly rows: number; readonly columns: number },
): 'too_large' | 'unreadable' | undefined {
  const entries = entriesOf(bytes);
  if (!entries) return 'unreadable';
  if (entries.length > MOST_ENTRIES) return 'too_large';
  let left = limits.unpackedBytes;
  for (const entry of entries) {
    const content = unpack(entry, left);
    if (typeof content === 'string') return content;
    left -= content.length;
    const why = checkCells(content.toString('utf8'), limits);
    if (why) return why;
  }
  return undefined;
}

/** Undefined where the directory does not agree with itself. */
function entriesOf(bytes: Buffer): Entry[] | undefined {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + 22 > bytes.length || bytes.readUInt32LE(end) !== END_OF_DIRECTORY) return undefined;
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i += 1) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) return undefined;
    const start = bytes.readUInt32LE(at + 42);
    const size = bytes.readUInt32LE(at + 20);
    if (start + 30 > bytes.length || bytes.readUInt32LE(start) !== LOCAL_HEADER) return undefined;
    const body = start + 30 + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28);
    if (body + size > bytes.length) return undefined;
    entries.push({ method: bytes.readUInt16LE(at + 10), packed: bytes.subarray(body, body + size) });
    at += 46 + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

function unpack({ method, packed }: Entry, left: number): Buffer | 'too_large' | 'unreadable' {
  if (method === 0) return packed.length > left ? 'too_large' : packed;
  if (method !== 8) return 'unreadable';
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, left) });
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'unreadable';
  }
}

/** What a sheet has room for. Spreadsheets write rows that only look like something, down to the very last. */
const SHEET = { rows: 1_048_576, columns: 16_384 } as const;
/** Rows and cells of a sheet, whatever prefix their names have. */
const TAGS = /<(?:[\w.-]+:)?(?:row|c)(?=[\s/>])/g;
const WHOLE_TAGS = /<(?:[\w.-]+:)?(row|c)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/g;

function checkCells(
  xml: string,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): 'too_large' | 'unreadable' | undefined {
  const tags = xml.match(TAGS)?.length ?? 0;
  if (tags > SHEET.rows * 4) return 'too_large';
  let read = 0;
  for (const [, what, attributes = '', end] of xml.matchAll(WHOLE_TAGS)) {
    read += 1;
    const place = /\sr\s*=\s*["']([^"']*)/.exec(attributes)?.[1];
    if (place === undefined) continue;
    const [, letters = '', digits = ''] = /^([A-Z]{0,3})(\d{1,9})$/.exec(place) ?? [];
    if (digits === '') return 'unreadable';
    // A table is as large as its last cell with something in it; many times what is allowed is no table.
    const isBlank = what === 'row' || end === '/';
    const most = isBlank ? SHEET : { rows: 4 * rows + 1, columns: 4 * columns };
    if (Number(digits) > most.rows || columnOf(letters) > most.columns) return 'too_large';
  }
  return read === tags ? undefined : 'unreadable';
}

const columnOf = (letters: string): number =>
  [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);

import Papa from 'papaparse';
import readWorkbook from 'read-excel-file/node';
import writeWorkbook, { type SheetData } from 'write-excel-file/node';
import type { LocalText } from './i18n.ts';
import { checkWorkbook } from './workbook.ts';

export const sheetFormats = ['csv', 'xlsx'] as const;
export type SheetFormat = (typeof sheetFormats)[number];

/** What a file may hold at most. */
export interface SheetLimits {
  /** As it comes in. */
  readonly bytes: number;
  /** Of a workbook, when it is unpacked. */
  readonly unpackedBytes: number;
  /** Without the header. */
  readonly rows: number;
  readonly columns: number;
  /** Characters of one cell. */
  readonly cell: number;
}
export const usualLimits: SheetLimits = {
  bytes: 10 * 1024 * 1024,
  unpackedBytes: 64 * 1024 * 1024,
  rows: 20_000,
  columns: 64,
  cell: 4_000,
};

/** A table as a person would see it: every cell is text, '' where there is nothing. */
export interface Sheet {
  readonly format: SheetFormat;
  /** What parts the cells of a CSV file. */
  readonly delimiter?: string;
  readonly header: readonly string[];
  /** `row` counts as a spreadsheet does: the header is row 1. Rows without any text are left out. */
  readonly rows: readonly { readonly row: number; readonly cells: readonly string[] }[];
}

/** The file cannot be read as a table at all; `text` says why to whoever sent it. */
export class SheetError extends Error {
  readonly code: 'too_large' | 'unsupported_media' | 'bad_input';
  readonly text: LocalText;
  /** 0: the file as a whole. */
  readonly row: number;
  constructor(
    code: SheetError['code'],
    text: LocalText,
    { row = 0, ...options }: ErrorOptions & { row?: number } = {},
  ) {
    super(text.en, options);
    this.name = 'SheetError';
    this.code = code;
    this.text = text;
    this.row = row;
  }
}

/**
 * Reads CSV (UTF-8, UTF-16 with its mark, else GBK; comma, semicolon or tab) or the first sheet of a workbook, told apart
 * by the first bytes and not by any name. A quote that {@link writeSheet} put before a cell is taken off again.
 * @throws SheetError.
 */
export async function readSheet(bytes: Buffer, limits: SheetLimits = usualLimits): Promise<Sheet> {
  if (bytes.length > limits.bytes) throw tooLarge(`${limits.bytes / 1024 / 1024} MB`);
  const format = isZip(bytes) ? 'xlsx' : 'csv';
  const { table, delimiter } =
    format === 'xlsx' ? { table: await readXlsx(bytes, limits) } : readCsv(textOf(bytes), limits);
  const [header = [], ...rest] = table.map((cells) => cells.map((cell) => unquoted(tidy(cell))));
  const rows = rest.map((cells, i) => ({ row: i + 2, cells })).filter(({ cells }) => cells.some(Boolean));
  if (header.every((name) => name === ''))
    throw new SheetError('bad_input', {
      en: 'The first row must name the columns.',
      zh: '第一行必须是列名。',
    });
  if (rows.length > limits.rows) throw tooLarge(`${limits.rows} rows`, `${limits.rows} 行`);
  if (table.some((cells) => cells.length > limits.columns))
    throw tooLarge(`${limits.columns} columns`, `${limits.columns} 列`);
  const long = rows.find(({ cells }) => cells.some((cell) => cell.length > limits.cell));
  if (long) throw tooLarge(`${limits.cell} characters in a cell`, `每格 ${limits.cell} 个字符`, long.row);
  return { format, ...(delimiter && { delimiter }), header, rows };
}

const tooLarge = (en: string, zh = en, row = 0): SheetError =>
  new SheetError('too_large', { en: `The file is larger than ${en}.`, zh: `文件超出上限：${zh}。` }, { row });

const isZip = (bytes: Buffer): boolean => bytes.length > 4 && bytes.readUInt32LE(0) === 0x04034b50;

/** What XML and mail do to line ends anyway is done to all, so that a table is the same whichever way it came. */
const tidy = (cell: string): string => cell.replaceAll(/\r\n?/g, '\n').trim();

/**
 * GB18030 holds all of GBK and nearly every sequence of bytes: it is tried last.
 * @throws SheetError.
 */
function textOf(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  for (const encoding of ['utf-8', 'gb18030'])
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
      if (!text.includes('\0')) return text;
    } catch {
      // Another encoding.
    }
  throw new SheetError('unsupported_media', {
    en: 'This is neither a CSV file (UTF-8 or GBK) nor an XLSX workbook.',
    zh: '文件既不是 CSV（UTF-8 或 GBK），也不是 XLSX 工作簿。',
  });
}

function readCsv(text: string, { rows, columns }: SheetLimits): { table: string[][]; delimiter?: string } {
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const delimiter =
    [',', ';', '\t'].toSorted((a, b) => head.split(b).length - head.split(a).length)[0] ?? ',';
  // One more than allowed tells that there are too many.
  const { data, errors } = Papa.parse<string[]>(text, { delimiter, preview: 2 * rows + columns });
  const [error] = errors;
  if (error)
    throw new SheetError(
      'bad_input',
      {
        en: 'A quote is opened and not closed, or stands inside a cell.',
        zh: '引号未闭合，或出现在单元格中间。',
      },
      { row: (error.row ?? 0) + 1 },
    );
  return { table: data, delimiter };
}

async function readXlsx(bytes: Buffer, limits: SheetLimits): Promise<string[][]> {
  const why = checkWorkbook(bytes, limits);
  if (why === 'too_large') throw tooLarge('what a table of this kind can need', '此类表格所需的大小');
  if (why === 'unreadable') throw unreadable();
  try {
    // Numbers stay as they are written: a double would lose digits before anybody looked at them.
    const sheets = await readWorkbook(bytes, { trim: false, parseNumber: (text) => text });
    return (sheets[0]?.data ?? []).map((cells) => cells.map(cellText));
  } catch (cause) {
    throw unreadable(cause);
  }
}

const unreadable = (cause?: unknown): SheetError =>
  new SheetError(
    'bad_input',
    { en: 'The workbook cannot be read. Save it anew as XLSX.', zh: '无法读取工作簿，请重新另存为 XLSX。' },
    { cause },
  );

/** Days are written as YYYY-MM-DD; a moment keeps its time. A workbook knows no zone. */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (!(value instanceof Date)) return String(value);
  return value.toISOString().replace('T00:00:00.000Z', '');
}

/** Numbers are cells that can be added up; everything else is text and never a formula. */
export type CellOut = string | number | null;

/**
 * Writes a table. Text that a spreadsheet would take for a formula gets a quote before it, in workbooks too: whoever saves
 * one as CSV must not arm it again.
 */
export async function writeSheet(
  format: SheetFormat,
  header: readonly string[],
  rows: readonly (readonly CellOut[])[],
): Promise<Buffer> {
  if (format === 'csv') {
    const lines = [header, ...rows].map((cells) =>
      cells.map((cell) => (typeof cell === 'string' ? quoted(cell) : cell)),
    );
    // Without its mark a spreadsheet takes UTF-8 for the code page of its machine.
    return Buffer.from(`\uFEFF${Papa.unparse(lines, { newline: '\r\n' })}\r\n`);
  }
  const data: SheetData = [
    header.map((value) => ({ value, type: String, fontWeight: 'bold' as const })),
    ...rows.map((cells) => cells.map(toWorkbookCell)),
  ];
  return writeWorkbook(data, { stickyRowsCount: 1, columns: header.map(() => ({ width: 20 })) }).toBuffer();
}

const toWorkbookCell = (cell: CellOut) =>
  cell === null || cell === ''
    ? null
    : typeof cell === 'number'
      ? { value: cell, type: Number }
      : { value: escaped(quoted(cell)), type: String };

/** Also text that has such a quote by itself gets one more, so that taking one off gives back every text. */
const quoted = (text: string): string => (/^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const unquoted = (text: string): string => (/^'+[=+\-@\t\r]/.test(text) ? text.slice(1) : text);

/** A unit of UTF-16 as a workbook spells what it cannot hold as it is (ECMA-376 part 1 clause 22.9.2.19). */
const spelled = (unit: string): string =>
  `_x${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`;

/** Signs that mean nothing in any language: the library leaves them out, and of the rare planes also the sign behind them. */
const MEANINGLESS = /[\ufdd0-\ufdef\ufffd]|\p{Noncharacter_Code_Point}/gu;

/**
 * Text that looks like such a spelling is marked, what the library would drop is spelled, and so is the beginning of a word that
 * every object of JavaScript knows: the library counts texts in one.
 */
function escaped(text: string): string {
  const whole = text
    .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replaceAll(MEANINGLESS, (sign) => sign.split('').map(spelled).join(''));
  return whole in {} ? spelled(whole[0] ?? '') + whole.slice(1) : whole;
}

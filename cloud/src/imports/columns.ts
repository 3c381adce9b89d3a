import type { Language } from '@parkline/contract';
import type { CellOut } from '../platform/sheets.ts';
import type { Cell, Column, Fault } from './kind.ts';

const LONGEST_TEXT = 200;

/** Header of a column in a language. */
export const headerOf = ({ name, zh }: Column, language: Language): string =>
  language === 'zh-CN' ? zh : name;

/** What two spellings of a header have in common. */
const folded = (header: string): string =>
  header
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/** Column by place; faults where a header is unknown, doubled or missing. Pure. */
export function columnsOf(
  header: readonly string[],
  columns: readonly Column[],
): { readonly at: ReadonlyMap<number, Column>; readonly faults: readonly Fault[] } {
  const known = new Map(
    columns.flatMap((column) => [column.name, column.zh].map((name) => [folded(name), column])),
  );
  const at = new Map<number, Column>();
  const faults: Fault[] = [];
  for (const [i, name] of header.entries()) {
    if (name === '') continue;
    const column = known.get(folded(name));
    if (!column)
      faults.push({
        field: name,
        text: { en: `There is no column "${name}" here.`, zh: `没有“${name}”这一列。` },
      });
    else if ([...at.values()].includes(column))
      faults.push({
        field: column.name,
        text: { en: `The column "${name}" is there twice.`, zh: `“${name}”列重复。` },
      });
    else at.set(i, column);
  }
  const there = new Set(at.values());
  for (const column of columns)
    if (column.required && !there.has(column))
      faults.push({
        field: column.name,
        text: { en: `The column "${column.name}" is missing.`, zh: `缺少“${column.zh}”列。` },
      });
  return { at, faults };
}

/** Whether a number is written with a comma before its decimals. */
export const hasComma = (text: string): boolean => /^[+-]?\d+,\d+(?:[eE][+-]?\d+)?$/.test(text);

/** The value of a cell, or what is wrong with it; `decimalComma`: the numbers of this file are written with one. Pure. */
export function readCell(
  column: Column,
  text: string,
  decimalComma = false,
): { readonly cell: Cell } | { readonly fault: Fault } {
  const wrong = (en: string, zh: string) => ({ fault: { field: column.name, text: { en, zh } } });
  if (text === '')
    return column.required ? wrong('This cell must be filled.', '此单元格必填。') : { cell: null };
  switch (column.type) {
    case 'text':
      return readText(column, text, wrong);
    case 'number':
      return decimalComma ? readWithComma(column, text, wrong) : readNumber(column, text, wrong);
    case 'day': {
      const day = dayOf(text);
      return day
        ? { cell: day }
        : wrong(`"${text}" is no day like 2026-03-01.`, `“${text}”不是有效日期，如 2026-03-01。`);
    }
    case 'list':
      return { cell: listOf(text.split(/[;；、,，\n]/)) };
    case 'word': {
      const word = Object.entries(column.words).find(([value, { en, zh }]) =>
        [value, en, zh].some((name) => folded(name) === folded(text)),
      );
      const known = Object.values(column.words);
      return word
        ? { cell: word[0] }
        : wrong(
            `"${text}" is none of: ${known.map(({ en }) => en).join(', ')}.`,
            `“${text}”不在可选范围内：${known.map(({ zh }) => zh).join('、')}。`,
          );
    }
  }
}

type Read = { readonly cell: Cell } | { readonly fault: Fault };
type Wrong = (en: string, zh: string) => { readonly fault: Fault };

function readText(
  { max = LONGEST_TEXT, pattern, example }: Column & { type: 'text' },
  text: string,
  wrong: Wrong,
): Read {
  if ([...text].length > max) return wrong(`Longer than ${max} characters.`, `超过 ${max} 个字符。`);
  if (/(?!\n)\p{Cc}/u.test(text)) return wrong('Holds signs that cannot be shown.', '含有无法显示的字符。');
  if (pattern && !pattern.test(text))
    return example === ''
      ? wrong(`"${text}" is not written as it should be.`, `“${text}”格式不正确。`)
      : wrong(`"${text}" is not written like "${example}".`, `“${text}”的格式应如“${example}”。`);
  return { cell: text };
}

/** Where commas stand before decimals, one sign before three digits may as well part the thousands. */
function readWithComma(column: Column & { type: 'number' }, text: string, wrong: Wrong): Read {
  const [, whole, decimals] = /^([+-]?[1-9]\d{0,2})[.,](\d{3})$/.exec(text) ?? [];
  if (whole && decimals)
    return wrong(
      `"${text}" may be ${whole}.${decimals} or ${whole}${decimals}: write ${whole},${decimals}0 or ${whole}${decimals}.`,
      `“${text}”可能是 ${whole}.${decimals} 或 ${whole}${decimals}，请写作 ${whole},${decimals}0 或 ${whole}${decimals}。`,
    );
  return readNumber(column, hasComma(text) ? text.replace(',', '.') : text, wrong);
}

/** Decimals beyond those that count are refused, but for the noise of a spreadsheet's arithmetic. */
function readNumber({ min, max, decimals }: Column & { type: 'number' }, text: string, wrong: Wrong): Read {
  if (!/^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text))
    return wrong(`"${text}" is no number.`, `“${text}”不是数字。`);
  const value = Number(text);
  const rounded = Number(value.toFixed(decimals)) + 0;
  if (Math.abs(rounded - value) > 1e-9 * Math.max(1, Math.abs(value)))
    return decimals === 0
      ? wrong('Must be a whole number.', '必须是整数。')
      : wrong(`At most ${decimals} decimals.`, `最多 ${decimals} 位小数。`);
  if (min !== undefined && rounded < min) return wrong(`Must be at least ${min}.`, `不得小于 ${min}。`);
  if (max !== undefined && rounded > max) return wrong(`Must be at most ${max}.`, `不得大于 ${max}。`);
  return { cell: rounded };
}

/** Entries of a list: each once, in one order. */
export const listOf = (entries: readonly string[]): readonly string[] =>
  [...new Set(entries.map((entry) => entry.trim()).filter(Boolean))].toSorted();

/** 2026-3-1, 2026/3/1, 2026.3.1 and 2026年3月1日 are the day 2026-03-01. Undefined: no day of the calendar. */
function dayOf(text: string): string | undefined {
  const [, year = '', month = '', day = ''] = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(text) ?? [];
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso) ? iso : undefined;
}

/** A value as it goes into a file; words in the reader's language. Pure. */
export function writeCell(column: Column, cell: Cell | undefined, language: Language): CellOut {
  if (cell === null || cell === undefined) return null;
  if (column.type === 'word') {
    const word = column.words[String(cell)];
    return word ? (language === 'zh-CN' ? word.zh : word.en) : String(cell);
  }
  if (typeof cell === 'object') return cell.join('; ');
  return typeof cell === 'boolean' ? String(cell) : cell;
}

/** As a cell would be after a file: one kind of line end, no blanks around it. */
export const settled = (cell: Cell): Cell =>
  typeof cell === 'string'
    ? cell.replaceAll(/\r\n?/g, '\n').trim()
    : typeof cell === 'object' && cell
      ? listOf(cell)
      : cell;

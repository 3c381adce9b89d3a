import { type PointBody, WriteLimits } from '@parkline/contract';
import { Value } from 'typebox/value';
import type { Cell, Cells, Column, Fault } from '../imports/index.ts';

type States = PointBody['states'];

/** How far a point may be written, a column each; all empty: read only. */
export const writeColumns: readonly Column[] = [
  { name: 'write_min', zh: '写入下限', type: 'number', decimals: 9, example: '' },
  { name: 'write_max', zh: '写入上限', type: 'number', decimals: 9, example: '' },
  { name: 'write_step', zh: '写入步长', type: 'number', decimals: 9, min: 0, example: '' },
  {
    name: 'write_per_minute',
    zh: '每分钟写入次数',
    type: 'number',
    decimals: 0,
    min: 1,
    max: 60,
    example: '',
  },
  { name: 'write_priority', zh: '写入优先级', type: 'number', decimals: 0, min: 8, max: 16, example: '' },
  {
    name: 'write_hold_s',
    zh: '保持时间（秒）',
    type: 'number',
    decimals: 0,
    min: 1,
    max: 86_400,
    example: '',
  },
  { name: 'write_release', zh: '释放值', type: 'number', decimals: 9, example: '' },
  {
    ...{ name: 'write_safety', zh: '涉及人身安全', type: 'word', example: '' },
    words: { yes: { en: 'yes', zh: '是' }, no: { en: 'no', zh: '否' } },
  },
];

const fields = {
  min: 'write_min',
  max: 'write_max',
  step: 'write_step',
  perMinute: 'write_per_minute',
  priority: 'write_priority',
  holdS: 'write_hold_s',
  release: 'write_release',
} as const;

export function writeCells(write: WriteLimits | null): Cells {
  const cells: Record<string, Cell> = { write_safety: write === null ? null : write.safety ? 'yes' : 'no' };
  for (const [field, column] of Object.entries(fields))
    cells[column] = write?.[field as keyof typeof fields] ?? null;
  return cells;
}

/** The limits that a row asks for; null: it may not be written. Columns that the file lacks stay as they are stored. */
export function writeOf(cells: Cells, before: WriteLimits | undefined): WriteLimits | null | Fault {
  const of = (column: string, stored: Cell | undefined): Cell =>
    cells[column] === undefined ? (stored ?? null) : cells[column]!;
  const given = Object.entries(fields).map(
    ([field, column]) => [field, of(column, before?.[field as keyof typeof fields])] as const,
  );
  const safety = of('write_safety', before && (before.safety ? 'yes' : 'no'));
  const said = given.filter(([, value]) => value !== null);
  if (said.length === 0) return null;
  const limits: unknown = Value.Default(WriteLimits, {
    ...Object.fromEntries(said),
    safety: safety === 'yes',
  });
  if (Value.Check(WriteLimits, limits)) return limits;
  return {
    field: 'write_min',
    text: {
      en: 'Limits of writing need a lowest and a highest value.',
      zh: '写入范围必须同时填写下限和上限。',
    },
  };
}

/** `0=off|关; 1=on|开`. */
export function statesOf(cell: Cell | undefined, before: States): States | Fault {
  if (cell === undefined) return before;
  if (cell === null) return null;
  const entries = String(cell)
    .split(/[;；\n]/)
    .map((part) => /^\s*(-?\d{1,9})\s*[=:：]\s*([^|]+?)\s*(?:\|\s*(.+?)\s*)?$/.exec(part));
  if (entries.some((entry) => entry === null))
    return {
      field: 'states',
      text: { en: 'States are written like "0=off|关; 1=on|开".', zh: '状态应写作“0=off|关; 1=on|开”。' },
    };
  return Object.fromEntries(
    entries.map((entry) => [entry![1]!, { en: entry![2]!, zh: entry![3] ?? entry![2]! }]),
  );
}

export const statesText = (states: States): string | null =>
  states === null
    ? null
    : Object.entries(states)
        .map(([value, { en, zh }]) => `${value}=${en}|${zh}`)
        .join('; ');

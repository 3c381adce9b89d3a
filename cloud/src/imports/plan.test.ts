import { describe, expect, test } from 'vitest';
import { columnsOf, readCell, writeCell } from './columns.ts';
import type { Cells, Column, Prepared, RowFault, SheetKind, Stored, Values } from './kind.ts';
import { planImport } from './plan.ts';

const columns: readonly Column[] = [
  { name: 'key', zh: '编号', type: 'text', required: true, example: 'a', pattern: /^\w+$/ },
  { name: 'area_m2', zh: '面积（m²）', type: 'number', decimals: 2, min: 0.01, example: '1' },
  { name: 'kind', zh: '类型', type: 'word', words: { unit: { en: 'Unit', zh: '单元' } }, example: 'unit' },
  { name: 'parts', zh: '部分', type: 'list', example: 'a; b' },
  { name: 'from', zh: '起始日', type: 'day', example: '2026-01-01' },
];
const [key, area, word, list, day] = columns as [Column, Column, Column, Column, Column];

const stored = new Map<string, Stored>([
  [
    'a',
    { id: '1', version: 1, values: { key: 'a', area_m2: 10, kind: 'unit', parts: ['x', 'y'], from: null } },
  ],
]);
const prepared: Prepared = {
  stored,
  read: (cells: Cells, one) =>
    ({ key: null, area_m2: null, kind: null, parts: [], from: null, ...one?.values, ...cells }) as Values,
  check: (rows) =>
    rows
      .filter(({ values }) => values['area_m2'] === 13)
      .map(({ row }) => ({ row, field: 'area_m2', text: { en: 'Unlucky', zh: '不吉' } })),
  warn: (rows) =>
    rows
      .filter(({ values }) => values['kind'] === null)
      .map(({ row }) => ({ row, field: 'kind', text: { en: 'Say one day', zh: '待填' } }))
      .toReversed(),
  write: () => Promise.resolve([]),
  remove: () => Promise.resolve([]),
};
const kind: SheetKind = {
  ...{ name: 'things', noun: 'thing', title: { en: 'Things', zh: '物' }, reads: 'x', writes: 'x', columns },
  prepare: () => Promise.resolve(prepared),
};
const plan = (header: string[], ...rows: string[][]) => {
  const sheet = { format: 'csv', header, rows: rows.map((cells, i) => ({ row: i + 2, cells })) } as const;
  const { add, change, unchanged, faults } = planImport(kind, prepared, sheet);
  return { add: add.length, change: change.length, unchanged, faults: faults.map(placeOf) };
};
const placeOf = ({ row, field }: RowFault) => `${row} ${field}`;

describe('columns', () => {
  test.each([
    ['as they are written', ['key', 'area_m2']],
    ['in Chinese, with full or half width', ['编号', '面积(m2)']],
    ['in another case, with blanks', ['KEY', 'Area M2']],
  ])('are known %s', (_how, header) => {
    expect([...columnsOf(header, columns).at.values()]).toEqual([key, area]);
    expect(columnsOf(header, columns).faults).toEqual([]);
  });

  test('that are unknown, doubled or missing are told, and the rows are not looked at', () => {
    expect(plan(['kye', '类型', 'kind'], ['?', '?', '?']).faults).toEqual(['1 kye', '1 kind', '1 key']);
  });
});

test.each([
  [area, '100.10000000000001', 100.1],
  [area, '1.5e2', 150],
  [word, '单元', 'unit'],
  [word, 'UNIT', 'unit'],
  [list, 'b；a, b、c', ['a', 'b', 'c']],
  [day, '2026/3/1', '2026-03-01'],
  [day, '2026年3月1日', '2026-03-01'],
  [area, '', null],
])('%o reads %s', (column, text, cell) => {
  expect(readCell(column, text)).toEqual({ cell });
});

test.each([
  [area, '1.005'],
  [area, '0'],
  [area, '12 m2'],
  [area, '1,234'],
  [word, 'house'],
  [day, '2026-02-30'],
  [day, '46000'],
  [key, ''],
  [key, 'a b'],
  [key, 'a\u0007'],
])('%o refuses %s', (column, text) => {
  expect(readCell(column, text)).toMatchObject({ fault: { field: column.name } });
});

describe('a comma in a number', () => {
  const read = (delimiter: string, ...areas: string[]) => {
    const rows = areas.map((text, i) => ({ row: i + 2, cells: [`n${i}`, text] }));
    const sheet = { format: 'csv', delimiter, header: ['key', 'area_m2'], rows } as const;
    const { add, faults } = planImport(kind, prepared, sheet);
    return [...add.map(({ values }) => values['area_m2']), ...faults.map(({ text }) => text.en)];
  };
  test('is the decimal sign where semicolons part the cells', () => {
    expect(read(';', '10,5', '0,125e1', '1234,25', '7', '2.5')).toEqual([10.5, 1.25, 1234.25, 7, 2.5]);
  });
  test.each(['1,234', '1.234'])('is not guessed at: %s may be two numbers', (text) => {
    expect(read(';', text, '10,5')).toEqual([10.5, `"${text}" may be 1.234 or 1234: write 1,2340 or 1234.`]);
  });
  test('is no part of any number elsewhere, nor is a second sign', () => {
    expect(read(',', '10,5')).toEqual(['"10,5" is no number.']);
    expect(read(';', '1.234,5', '1,234,567')).toEqual([
      '"1.234,5" is no number.',
      '"1,234,567" is no number.',
    ]);
    expect(read(';', '12.34')).toEqual([12.34]);
  });
});

test('words are written in the language of the reader, lists with semicolons', () => {
  expect([
    writeCell(word, 'unit', 'zh-CN'),
    writeCell(word, 'unit', 'en'),
    writeCell(list, ['a', 'b'], 'en'),
  ]).toEqual(['单元', 'Unit', 'a; b']);
});

test('a row that says what is there changes nothing; columns that the file lacks stay', () => {
  expect(plan(['key'], ['a'])).toEqual({ add: 0, change: 0, unchanged: 1, faults: [] });
  expect(plan(['key', 'parts'], ['a', 'y; x'])).toMatchObject({ unchanged: 1 });
  expect(plan(['key', 'area_m2'], ['a', '11'], ['b', '2'])).toMatchObject({ add: 1, change: 1, faults: [] });
  expect(plan(['key', 'area_m2'], ['a', ''])).toMatchObject({ change: 1 });
});

test('every fault of every row is told at once, and no rule between rows by a row that is wrong itself', () => {
  expect(
    plan(['key', 'area_m2', 'from'], ['a', 'x', 'y'], ['b', '1', ''], ['b', '2', ''], ['c', '13', '']).faults,
  ).toEqual(['2 area_m2', '2 from', '4 key', '5 area_m2']);
  expect(plan(['key', 'area_m2', 'from'], ['a', '13', 'y']).faults).toEqual(['2 from']);
  expect(plan(['key', 'area_m2'], ['c', '13']).faults).toEqual(['2 area_m2']);
  expect(plan(['key'], ['a', 'stray']).faults).toEqual(['2 ']);
});

test('rows that still need something are told in order and stored all the same, unless they are wrong', () => {
  const rows = [
    ['a', 'unit'],
    ['b', ''],
    ['c', 'house'],
    ['d', ''],
  ].map((cells, i) => ({ row: i + 2, cells }));
  const { add, unchanged, faults, warnings } = planImport(kind, prepared, {
    format: 'csv',
    header: ['key', 'kind'],
    rows,
  });
  expect([add.length, unchanged, faults.map(placeOf)]).toEqual([2, 1, ['4 kind']]);
  expect(warnings.map(placeOf)).toEqual(['3 kind', '5 kind']);
});

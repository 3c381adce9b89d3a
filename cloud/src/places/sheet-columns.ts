import { keyPattern, type LocalName } from '@parkline/contract';
import type { Cells, Column, Fault } from '../imports/index.ts';

const pattern = new RegExp(keyPattern, 'u');

/** What rows of a kind are known by. */
export const keyColumn = (example: string): Column => ({
  ...{ name: 'key', zh: '编号', type: 'text', required: true, max: 63, pattern, example },
});

/** The key of something else. */
export const refColumn = (name: string, zh: string, example: string, required = true): Column => ({
  ...{ name, zh, type: 'text', required, max: 63, pattern, example },
});

export const nameColumns = (en: string, zh: string): readonly Column[] => [
  { name: 'name_en', zh: '英文名称', type: 'text', example: en },
  { name: 'name_zh', zh: '中文名称', type: 'text', example: zh },
];

/** A name in both languages; who writes one says both by it. New things have one at least. */
export function namesOf(
  { name_en: en, name_zh: zh }: Cells,
  stored: { readonly name_en: string; readonly name_zh: string } | undefined,
): { readonly name_en: string; readonly name_zh: string } | readonly Fault[] {
  const [given, other] = [text(en), text(zh)];
  const name_en = given ?? (en === undefined ? stored?.name_en : undefined) ?? other;
  const name_zh = other ?? (zh === undefined ? stored?.name_zh : undefined) ?? given;
  if (name_en !== undefined && name_zh !== undefined) return { name_en, name_zh };
  return [
    {
      field: 'name_en',
      text: { en: 'A name is needed, in one language at least.', zh: '至少需要一种语言的名称。' },
    },
  ];
}

const text = (cell: Cells[string]): string | undefined => (typeof cell === 'string' ? cell : undefined);

export const nameOf = (values: { readonly name_en: string; readonly name_zh: string }): LocalName => ({
  en: values.name_en,
  zh: values.name_zh,
});

import { expect, test } from 'vitest';
import { en } from './en.ts';
import { createTranslator } from './translator.ts';
import { zhCN } from './zh-CN.ts';

/** Every key with its text, as a path; plural forms of one key count once, for Chinese has only one. */
function texts(tree: object, path = ''): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'string'
        ? [[`${path}${key}`.replace(/_(one|other)$/, ''), value] as const]
        : [...texts(value as object, `${path}${key}.`)],
    ),
  );
}
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();

test('both languages have the same keys', () =>
  expect([...texts(zhCN).keys()].sort()).toEqual([...texts(en).keys()].sort()));

test('both languages fill in the same facts', () => {
  const chinese = texts(zhCN);
  for (const [key, text] of texts(en)) {
    expect([key, placeholders(chinese.get(key) ?? '')]).toEqual([key, placeholders(text)]);
  }
});

/** What Chinese calls by the same name. */
const names = new Set(['Parkline', 'PDF', 'Webhook']);

test('no Chinese text is left in English', () => {
  const left = [...texts(zhCN)].filter(([, text]) => {
    const said = text.replaceAll(/\{\{.*?\}\}/g, '').trim();
    return /\p{Script=Latin}/u.test(said) && !/\p{Script=Han}/u.test(said) && !names.has(said);
  });
  expect(left).toEqual([]);
});

test('switching the language changes the words and the plural', async () => {
  const text = await createTranslator('en');
  expect(text.t('search.found', { count: 1 })).toBe('1 result');
  expect(text.t('search.found', { count: 2 })).toBe('2 results');
  await text.use('zh-CN');
  expect([text.language, text.t('search.found', { count: 2 })]).toEqual(['zh-CN', '2 个结果']);
});

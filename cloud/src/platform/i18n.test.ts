import { expect, test } from 'vitest';
import { errorTexts, inLanguage, languageOf } from './i18n.ts';

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['zh', 'zh-CN'],
  ['zh-TW,en;q=0.8', 'zh-CN'],
  ['en-GB,zh;q=0.9', 'en'],
  ['fr-FR,fr;q=0.9,zh-CN;q=0.8,en;q=0.7', 'zh-CN'],
  ['en;q=0.2, zh-Hans;q=0.3', 'zh-CN'],
  ['zh;q=0, en', 'en'],
  ['fr', 'en'],
  ['*', 'en'],
] as const)('a browser that asks for %s reads %s', (header, language) => {
  expect(languageOf(header)).toBe(language);
});

test('every code has a sentence in both languages', () => {
  for (const text of Object.values(errorTexts)) {
    expect(inLanguage(text, 'en')).toMatch(/\.$/);
    expect(inLanguage(text, 'zh-CN')).toMatch(/[\u4e00-\u9fff].*。$/);
  }
});

test('what does not fit says nothing of an edit by somebody else: that is another refusal', () => {
  for (const text of Object.values(errorTexts.conflict)) expect(text).not.toMatch(/meanwhile|修改|刷新/);
  expect(errorTexts.stale_edit.en).toMatch(/meanwhile/);
});

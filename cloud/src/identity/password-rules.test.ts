import { expect, test } from 'vitest';
import { passwordFault } from './password-rules.ts';

test.each([
  ['eleven characters', 'vqkd7 mruw2', 'too_short'],
  ['characters outside the basic plane count once', '🔑'.repeat(11), 'too_short'],
  ['one on the list', 'qwerty123456', 'common'],
  ['one on the list, in capitals', 'QWERTY123456', 'common'],
  ['a common word that was padded', 'Password2026!', 'common'],
  ['a common word with figures around it', '12iloveyou12', 'common'],
  ['a common word twice', 'dragondragon', 'common'],
  ['one character again and again', 'aaaaaaaaaaaaaaa', 'common'],
  ['three characters again and again', 'xyzxyzxyzxyz', 'common'],
  ['a run of letters', 'bcdefghijklmn', 'common'],
  ['a run of figures', '987654321098', 'common'],
  ['the own login with a year', 'guo.liang.2026', 'own_name'],
] as const)('refuses %s', (_why, password, fault) => {
  expect(passwordFault(password, ['guo.liang', 'Guo Liang'])).toBe(fault);
});

test.each([
  ['words without capitals, figures or signs', 'four quiet herons waited'],
  ['twelve letters that are no word', 'vqkdlmruwzhp'],
  ['Chinese characters', '园区里的白鹭在清晨飞过水面'],
  ['a common word as a small part', 'seven dragons over lake tai'],
] as const)('takes %s', (_why, password) => {
  expect(passwordFault(password, ['guo.liang', 'Guo Liang'])).toBeUndefined();
});

import { expect, test } from 'vitest';
import { whyUnread } from './unread.ts';

test.each([
  ['ENOENT', 'there is no file a.csv'],
  ['ENOTDIR', 'there is no file a.csv'],
  ['EISDIR', 'a.csv is a folder and no file'],
  ['EACCES', 'cannot read a.csv: EACCES'],
  [undefined, 'cannot read a.csv: undefined'],
])('what the file system calls %s is told in words', (code, words) => {
  expect(whyUnread('a.csv', Object.assign(new Error(String(code)), { code }))).toBe(words);
});

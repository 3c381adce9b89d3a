import { expect, test } from 'vitest';
import { ApiError } from '../api/errors.ts';
import { faultIn, linkFaultIn, passwordFaultIn, whyOf } from './entry.ts';

const refused = (code: string, details: unknown) =>
  new ApiError(code === 'link_refused' ? 410 : 400, { code, message: '请求内容有误。', details });

test('a refused password is known by its code, whatever language the server told it in', () => {
  const common = [{ field: 'body.password', message: '过于常见，最先被尝试', why: 'common' }];
  expect(passwordFaultIn(refused('bad_input', common))).toBe('common');
  expect(faultIn(refused('bad_input', common), 'body.password')).toBe('过于常见，最先被尝试');
  expect(
    passwordFaultIn(refused('bad_input', [{ field: 'body.name', message: '为必填项' }])),
  ).toBeUndefined();
  expect(passwordFaultIn(refused('bad_input', undefined))).toBeUndefined();
  expect(passwordFaultIn(undefined)).toBeUndefined();
});

test('a link that lets nobody in says why, and that it was the link', () => {
  expect(linkFaultIn(refused('link_refused', { why: 'used' }))).toBe('used');
  expect(linkFaultIn(refused('link_refused', undefined))).toBe('unknown');
  expect(linkFaultIn(refused('conflict', { why: 'used' }))).toBeUndefined();
  expect(whyOf(refused('conflict', { why: 'login_taken' }))).toBe('login_taken');
});

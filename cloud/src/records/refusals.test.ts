import { expect, test } from 'vitest';
import { refusalOf } from './refusals.ts';

test.each([
  [{ code: '23505' }, 'key_taken', /key exists/, /已被占用/],
  [{ code: '23503', table: 'lease' }, 'held', /still used: lease/, '仍被使用：租约。'],
  [
    { code: '23P01', message: 'space a-101 is leased by lease-7 on some of the same days' },
    'overlap',
    /^space a-101 is leased by lease-7/,
    '空间 a-101 在部分相同日期已由 lease-7 租用。',
  ],
  [
    { code: '23P01', message: 'usage point m-1 has a meter at that time' },
    'overlap',
    /^usage point m-1/,
    '计量点 m-1 在该时段已有表计。',
  ],
  [
    { code: '23P01', message: 'conflicting key value' },
    'overlap',
    /^conflicting key/,
    '与已有记录的时间重叠。',
  ],
  [{ code: '23514', message: 'new row', constraint: 'floor_level' }, 'rule', /new row/, /floor_level/],
  [{ code: '42501' }, 'out_of_reach', /does not reach/, /权限范围/],
])('what the database refuses with %j is told in both languages', (error, why, en, zh) => {
  expect(refusalOf(error)).toEqual({
    why,
    text: { en: expect.stringMatching(en), zh: expect.stringMatching(zh) },
  });
});

test('what failed for another reason is no refusal', () => {
  expect([refusalOf({ code: '40001' }), refusalOf(new Error('lost')), refusalOf(undefined)]).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});

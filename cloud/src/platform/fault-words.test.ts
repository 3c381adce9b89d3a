import { ContactBody, PHONE } from '@parkline/contract';
import Type from 'typebox';
import { expect, test } from 'vitest';
import { fieldWords, ownWords } from './fault-words.ts';
import { schemaFaults } from './validation.ts';

const han = /\p{Script=Han}/u;

test('what is said of fields is said in both languages, with what it is about', () => {
  const { laterThan, within, oneOf, ...plain } = fieldWords;
  expect(laterThan('from')).toEqual({ en: 'must be later than from', zh: '须晚于 from' });
  expect(within(400, 'from').zh).toBe('不得晚于 from 之后 400 天');
  expect(oneOf(['a', 'b'])).toEqual({ en: 'must be one of a, b', zh: '须为其中之一：a、b' });
  for (const { en, zh } of Object.values({ ...plain, ...ownWords })) {
    expect(zh).toMatch(han);
    expect(en).not.toMatch(han);
  }
});

const Body = Type.Object({
  text: Type.String({ minLength: 2, maxLength: 4, pattern: '^a' }),
  day: Type.String({ format: 'date' }),
  count: Type.Integer({ minimum: 1, maximum: 9 }),
  above: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
  list: Type.Array(Type.String(), { minItems: 1, maxItems: 2, uniqueItems: true }),
  kind: Type.Union([Type.Literal('a'), Type.Literal('b')]),
  word: Type.Enum(['x', 'y']),
  yes: Type.Literal(true),
  tags: Type.Record(Type.String({ pattern: '^[a-z]+$' }), Type.Boolean(), {
    additionalProperties: false,
    maxProperties: 1,
  }),
});

test.each([
  {
    text: 'b',
    day: '30.2.',
    count: 0,
    above: 0,
    list: [],
    kind: 'c',
    word: 'z',
    yes: false,
    tags: { A: true },
  },
  {
    text: 'abcde',
    day: 7,
    count: 10,
    above: 1,
    list: ['a', 'a'],
    kind: null,
    word: 1,
    yes: 'no',
    tags: { a: 1, b: true },
  },
  { list: ['a', 'b', 'c'], count: 1.5, above: '0', tags: [] },
  'no object',
])('whatever a schema can ask for is said in both languages (%#)', (value) => {
  const faults = schemaFaults(Body, value, 'body');
  expect(faults.length).toBeGreaterThan(0);
  expect(faults.filter(({ message }) => !han.test(message.zh) || han.test(message.en))).toEqual([]);
});

test('what is right has no fault, and a fault names the innermost field that is wrong', () => {
  const Nested = Type.Union([Type.Object({ a: Type.Object({ b: Type.Integer() }) }), Type.Null()]);
  expect(schemaFaults(Nested, null, 'body')).toEqual([]);
  expect(schemaFaults(Nested, { a: { b: 'x' } }, 'body').map(({ field }) => field)).toEqual(['body.a.b']);
});

test.each([
  [{ phone: 'call me', mail: null }, 'phone', /phone number like/, /电话号码，如/],
  [{ phone: null, mail: 'li at home' }, 'mail', /mail address like/, /邮箱地址，如/],
  [{ phone: 7, mail: null }, 'phone', /must be string/, /须为文本/],
])('what may be null tells what it must be else: %j', (value, field, en, zh) => {
  const { phone, mail } = ContactBody.properties;
  const faults = schemaFaults(Type.Object({ phone, mail }), value, '');
  expect(faults).toEqual([
    { field, message: { en: expect.stringMatching(en), zh: expect.stringMatching(zh) } },
  ]);
});

test.each([
  ...['+86 21 5555 0100', '021-55550100 转 8', '021-55550100转801', '555-0100 ext. 8', '555-0100 Ext 8'],
  ...['021-5555 0100-801', '(021) 5555 0100 x8', '（021）55550100 分机 8', '+1 (212) 555-0100 #8'],
])('%s is a phone number', (phone) => {
  expect(PHONE.test(phone)).toBe(true);
});

test.each(['8', 'ext. 8', '555-0100 转', '555-0100 ext. 8 ext. 9', 'call 555-0100', ''])(
  '%j is none',
  (phone) => {
    expect(PHONE.test(phone)).toBe(false);
  },
);

test('a mail address may lie under a domain in any script', () => {
  const { mail } = ContactBody.properties;
  for (const address of ['li@example.com', '李雷@例子.公司', 'li@bücher.example'])
    expect(schemaFaults(mail, address, 'mail')).toEqual([]);
  for (const text of [
    'li@',
    'li@example',
    'li@example..com',
    'li@example.com,',
    '<li@example.com>',
    'li@a.com;b@c.com',
  ])
    expect(schemaFaults(mail, text, 'mail')).toHaveLength(1);
});

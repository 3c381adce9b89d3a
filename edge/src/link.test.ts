import { expect, test } from 'vitest';
import { assertStored } from './link.ts';

test('the answer of a stored message is accepted, also when it was stored before', () => {
  assertStored(Buffer.from('{"stream":"UP","seq":7}'));
  assertStored(Buffer.from('{"stream":"UP","seq":7,"duplicate":true}'));
});

test.each([
  [
    'a full stream',
    '{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}',
    'maximum bytes exceeded (10077)',
  ],
  ['an error without words', '{"error":{}}', 'refused (?)'],
  ['an empty answer', '', 'not a PubAck: '],
  ['somebody else', 'hello', 'not a PubAck: hello'],
  ['null', 'null', 'not a PubAck: null'],
])('%s is a refusal', (_why, answer, message) => {
  expect(() => {
    assertStored(Buffer.from(answer));
  }).toThrow(expect.objectContaining({ code: 'refused', message }));
});

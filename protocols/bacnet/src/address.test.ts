import { expect, test } from 'vitest';
import { formatAddress, isPoint, isWritable, parseAddress } from './address.ts';

test.each([
  ['analog-input,3', { type: 0, instance: 3, property: 85 }],
  ['binary-value,4194302', { type: 5, instance: 4_194_302, property: 85 }],
  ['multi-state-value,7,out-of-service', { type: 19, instance: 7, property: 81 }],
  ['130,0,512', { type: 130, instance: 0, property: 512 }],
] as const)('reads %s', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test.each([
  ['', "'' is neither one of analog-input"],
  ['analog,3', "'analog' is neither one of"],
  ['1024,3', "'1024' is neither"],
  ['constructor,3', "'constructor' is neither"],
  ['analog-input', "'' is not an instance 0..4194302"],
  ['analog-input,4194303', "'4194303' is not an instance"],
  ['analog-input,-1', "'-1' is not an instance"],
  ['analog-input,1.5', "'1.5' is not an instance"],
  ['analog-input,1,colour', "'colour' is neither one of"],
  ['analog-input,1,present-value,2,3', 'too many parts'],
])('refuses %j', (text, why) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'config' }));
  expect(() => parseAddress(text)).toThrow(why);
});

test('an object’s address reads back, and its type says what it is for', () => {
  expect(
    [
      { type: 14, instance: 2 },
      { type: 200, instance: 1 },
    ].map(formatAddress),
  ).toEqual(['multi-state-output,2', '200,1']);
  expect([0, 1, 8, 15].map(isPoint)).toEqual([true, true, false, false]);
  expect([0, 1, 2, 13].map(isWritable)).toEqual([false, true, true, false]);
});

import { describe, expect, test } from 'vitest';
import { addressQuestion, encodeFrame, findAddress, findAnswer, findFrames, readQuestion } from './frame.ts';
import { decodeItem, parseAddress } from './address.ts';
import { bytes } from './testing.ts';

// Telegrams as printed in public descriptions of DL/T 645-2007: 553668.com/manong/786292 and 'DLT645-2007报文解析'.
const question = 'FE FE FE FE 68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16';
const answer = '68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8B 16';

const valueIn = (text: string, address: string, at: string): unknown => {
  const found = findAnswer(bytes(text), address, at.slice(0, 8));
  return found?.kind === 'data' ? decodeItem(found.payload, parseAddress(at)) : found;
};

describe('a question', () => {
  test('for the forward active energy of meter 000102030425', () => {
    expect(Buffer.from(readQuestion('000102030425', '00010000'))).toEqual(Buffer.from(bytes(question)));
  });
  test('for the address of whoever is alone on the line', () => {
    expect(Buffer.from(addressQuestion())).toEqual(
      Buffer.from(bytes('FE FE FE FE 68 AA AA AA AA AA AA 68 13 00 DF 16')),
    );
  });
  test('for a further part carries its number', () => {
    const [frame] = findFrames(readQuestion('000102030425', '0001FF00', 2));
    expect([frame?.control, [...frame!.data]]).toEqual([0x12, [0x00, 0xff, 0x01, 0x00, 2]]);
  });
});

describe('an answer', () => {
  test.each([
    ['energy', answer, '000102030425', '00010000', 1206.42],
    [
      'energy of 0.26 kWh',
      '68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16',
      '000000000161',
      '00010000',
      0.26,
    ],
    ['voltage', '68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16', '000000000161', '02010100', 100.1],
  ])('with %s', (_what, text, address, item, value) => {
    expect(valueIn(text, address, item)).toEqual({ ok: true, value });
  });

  test('of a meter that sends power back carries the sign in its highest bit', () => {
    // 3.6042 kW out: BCD 03 60 42 with the top bit set, 33H added, lowest byte first.
    const text = '68 61 01 00 00 00 00 68 91 07 33 33 36 35 75 93 B6 7E 16';
    const good = withSum(text);
    expect(valueIn(good, '000000000161', '02030000')).toEqual({ ok: true, value: -3.6042 });
    expect(valueIn(good, '000000000161', '02030000:XX.XXXX')).toEqual({ ok: true, value: 83.6042 });
  });

  test('is found behind noise, echoes and torn telegrams, in any pieces', () => {
    const noise = bytes('68 00 12 FE 68 25 04 03');
    const all = Buffer.concat([noise, bytes(question), bytes(answer)]);
    expect(findAnswer(all, '000102030425', '00010000')).toMatchObject({ kind: 'data', hasMore: false });
    for (let end = 0; end < all.length; end += 1)
      expect(findAnswer(all.subarray(0, end), '000102030425', '00010000')).toBeUndefined();
  });

  test.each([
    ['another meter', '000102030426', '00010000'],
    ['another item', '000102030425', '00020000'],
  ])('of %s is nobody’s', (_what, address, item) => {
    expect(findAnswer(bytes(answer), address, item)).toBeUndefined();
  });

  test.each([
    ['02', /no such data/],
    ['04', /password/],
    ['01', /another error/],
    ['80', /refused \(error 80H\)/],
  ])('D1 with error %s says why', (error, why) => {
    const text = encodeFrame({ address: '000102030425', control: 0xd1, data: bytes(error) });
    const found = findAnswer(text, '000102030425', '00010000');
    expect(found?.kind === 'refused' && found.why).toMatch(why);
  });

  test('of a part is taken only with its own number', () => {
    const data = bytes('00 FF 01 00 11 22 33 44 02');
    const text = encodeFrame({ address: '000102030425', control: 0xb2, data });
    const find = (sequence: number): unknown => findAnswer(text, '000102030425', '0001FF00', sequence);
    expect(find(2)).toEqual({ kind: 'data', hasMore: true, payload: bytes('11 22 33 44') });
    expect(find(1)).toBeUndefined();
    expect(find(0)).toBeUndefined();
  });

  test('to the search is believed when head and data say the same digits', () => {
    const reply = (head: string, data: string): Uint8Array =>
      encodeFrame({ address: head, control: 0x93, data: bytes(data) });
    expect(findAddress(reply('000000000161', '61 01 00 00 00 00'))).toBe('000000000161');
    expect(findAddress(reply('000000000161', '62 01 00 00 00 00'))).toBeUndefined();
    expect(findAddress(reply('AAAAAAAAAAAA', 'AA AA AA AA AA AA'))).toBeUndefined();
  });
});

/** The text with its check sum put right: the last byte but one. */
function withSum(text: string): string {
  const parts = text.split(' ');
  const sum = parts.slice(0, -2).reduce((total, byte) => total + Number.parseInt(byte, 16), 0) % 256;
  return [...parts.slice(0, -2), sum.toString(16).padStart(2, '0'), '16'].join(' ');
}

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeText, MAX_BYTES, TextError } from './text.ts';

/** GBK of 送风温度 and 冷冻水, from the table of GB 2312. */
const gbk = Buffer.from([
  0xcb, 0xcd, 0xb7, 0xe7, 0xce, 0xc2, 0xb6, 0xc8, 0x2c, 0xc0, 0xe4, 0xb6, 0xb3, 0xcb, 0xae,
]);

describe('the encoding is found out', () => {
  const text = 'point;Außenluft °C';
  const utf16be = Buffer.from(text, 'utf16le').swap16();
  test.each([
    ['UTF-8', Buffer.from(text), 'utf-8'],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`), 'utf-8'],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${text}`, 'utf16le'), 'utf-16le'],
    ['UTF-16 without a mark', Buffer.from(text, 'utf16le'), 'utf-16le'],
    ['UTF-16 the other way round', utf16be, 'utf-16be'],
    ['Latin-1', Buffer.from(text, 'latin1'), 'windows-1252'],
  ])('%s', (_what, bytes, encoding) => {
    expect(decodeText(bytes)).toEqual({ text, encoding });
  });

  test('GBK', () => {
    expect(decodeText(gbk)).toEqual({ text: '送风温度,冷冻水', encoding: 'gb18030' });
  });

  test('two western letters in a row are no Chinese', () => {
    const words = 'Größe;Füße;Heißöl;Wärme';
    expect(decodeText(Buffer.from(words, 'latin1')).text).toBe(words);
  });

  test('a label in place of guessing', () => {
    expect(decodeText(Buffer.from([0xe9]), 'latin1').text).toBe('é');
    expect(() => decodeText(Buffer.from('x'), 'klingon')).toThrow(/klingon is not an encoding/);
  });
});

test('lines end alike whatever machine wrote them', () => {
  expect(decodeText(Buffer.from('a\r\nb\rc\n')).text).toBe('a\nb\nc\n');
});

test.each([
  ['nothing', Buffer.alloc(0), /empty/],
  ['blanks', Buffer.from(' \n '), /blanks/],
  ['a workbook', Buffer.from('PK\u0003\u0004xxxx'), /Excel workbook: save the sheet as CSV/],
  ['noise', Buffer.from(Array.from({ length: 2_000 }, (_, i) => (i * 7_919) % 32)), /not text/],
  ['a file beyond the limit', new Uint8Array(MAX_BYTES + 1), /larger than 64 MiB/],
  ['a gzip that bursts', gzipSync(Buffer.alloc(MAX_BYTES + 1, 0x61)), /larger than 64 MiB/],
  ['too many lines', Buffer.alloc(1_000_002, '\n').fill('x', 0, 1), /more than 1000000 lines/],
  ['half a gzip', gzipSync('abc').subarray(0, 12), /damaged gzip/],
])('%s is refused with what it is', (_what, bytes, message) => {
  expect(() => decodeText(bytes)).toThrow(TextError);
  expect(() => decodeText(bytes)).toThrow(message);
});

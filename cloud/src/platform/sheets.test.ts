import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSheet, sheetFormats, usualLimits, writeSheet } from './sheets.ts';

const csv = (text: string) => readSheet(Buffer.from(text));
const cellsOf = async (bytes: Buffer) => (await readSheet(bytes)).rows.map(({ cells }) => cells);

describe.each(sheetFormats)('%s', (format) => {
  test('what is written reads back the same, whatever the text', async () => {
    // As it is kept: trimmed, with one kind of line end, and without what XML cannot hold.
    const plain = fc
      .oneof(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.string({ unit: fc.constantFrom(...'\'"=+-@,;\n 中文楼宇_x0041_&<>'), maxLength: 12 }),
        fc.constantFrom(
          '=1+1',
          "'=1",
          "''@x",
          '-5',
          '+86 10',
          '_x000D_',
          '\u{1fffe}!',
          '\ufdd0x',
          'valueOf',
          '__proto__',
          '=HYPERLINK("http://x")',
          '中\n文',
        ),
      )
      .map((text) => text.replaceAll(/[\p{Cc}\ufffe\uffff]/gu, (c) => (c === '\n' ? c : '')).trim());
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(plain, plain), { minLength: 1, maxLength: 6 }), async (rows) => {
        const kept = rows.map(([a, b], i) => [`${i}`, a, b]);
        expect(await cellsOf(await writeSheet(format, ['n', 'a', 'b'], kept))).toEqual(kept);
      }),
      { numRuns: 60 },
    );
  });

  test('text that a spreadsheet would run is quoted, a negative number is a number', async () => {
    const bytes = await writeSheet(format, ['a', 'b', 'c'], [['=cmd()', -3, null]]);
    expect(await cellsOf(bytes)).toEqual([['=cmd()', '-3', '']]);
    if (format === 'csv') expect(bytes.toString()).toBe("\uFEFFa,b,c\r\n'=cmd(),-3,\r\n");
  });
});

test('a file from a spreadsheet of a Chinese or a European machine is read as it was meant', async () => {
  const gbk = Buffer.from([
    ...[0xb1, 0xe0, 0xba, 0xc5],
    0x2c,
    ...[0xc3, 0xfb],
    0x0a,
    0x31,
    0x2c,
    ...[0xc2, 0xa5],
    0x0a,
  ]);
  expect(await readSheet(gbk)).toEqual({
    format: 'csv',
    header: ['编号', '名'],
    rows: [{ row: 2, cells: ['1', '楼'] }],
  });
  expect((await csv('a;b\n1,5;x\n')).rows[0]?.cells).toEqual(['1,5', 'x']);
  expect((await readSheet(Buffer.from('\uFEFFa\tb\n1\t2\n', 'utf16le'))).rows[0]?.cells).toEqual(['1', '2']);
});

test('rows keep their number where some are blank, and cells their line ends', async () => {
  expect((await csv('a,b\n\n,\n1,"x\r\ny"\n')).rows).toEqual([{ row: 4, cells: ['1', 'x\ny'] }]);
});

test.each([
  ['an open quote', Buffer.from('a,b\n1,"2\n'), 'bad_input'],
  ['nothing', Buffer.from(''), 'bad_input'],
  ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xff]), 'unsupported_media'],
  ['more bytes than allowed', Buffer.alloc(usualLimits.bytes + 1, 0x61), 'too_large'],
  ['more rows than allowed', Buffer.from(`a\n${'1\n'.repeat(usualLimits.rows + 1)}`), 'too_large'],
  ['a cell longer than allowed', Buffer.from(`a\n${'1'.repeat(usualLimits.cell + 1)}`), 'too_large'],
  ['more columns than allowed', Buffer.from(`${'a,'.repeat(usualLimits.columns + 1)}\n1`), 'too_large'],
  ['a workbook cut short', (await writeSheet('xlsx', ['a'], [['1']])).subarray(0, 300), 'bad_input'],
])('%s is refused', async (_what, bytes, code) => {
  await expect(readSheet(bytes)).rejects.toMatchObject({ code });
});

/** A zip of one part; `stated` is the unpacked size that the file claims. */
function zipOf(content: Buffer, stated = content.length): Buffer {
  const packed = deflateRawSync(content);
  const name = Buffer.from('xl/worksheets/sheet1.xml');
  const head = Buffer.alloc(26);
  head.writeUInt16LE(20, 0);
  head.writeUInt16LE(8, 4);
  head.writeUInt32LE(packed.length, 14);
  head.writeUInt32LE(stated, 18);
  head.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), head, name, packed]);
  const entry = Buffer.concat([Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), head, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

test('a workbook that unpacks to more than it may is refused before it is unpacked, whatever size it states', async () => {
  const bomb = zipOf(Buffer.alloc(usualLimits.unpackedBytes + 1), 100);
  expect(bomb.length).toBeLessThan(100_000);
  const before = process.memoryUsage().rss;
  await expect(readSheet(bomb)).rejects.toMatchObject({ code: 'too_large' });
  expect(process.memoryUsage().rss - before).toBeLessThan(4 * usualLimits.unpackedBytes);
});

test.each([
  ['a row', '<row r="999999999"><c r="A1"><v>1</v></c></row>', 'too_large'],
  ['a cell', '<row r="1"><c r="XFD1"><v>1</v></c></row>', 'too_large'],
  ['a row under a prefix, in other quotes', `<x:row x='">' r = '999999999'/>`, 'too_large'],
  ['a place in other words', '<row r="&#49;000000000"/>', 'bad_input'],
  ['a tag that does not close', '<row r="1" x="<"><c>', 'bad_input'],
])('%s so far out that the table would fill the memory is refused', async (_what, xml, code) => {
  await expect(readSheet(zipOf(Buffer.from(xml)))).rejects.toMatchObject({ code });
});

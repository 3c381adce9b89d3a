import { crc32, deflateRawSync } from 'node:zlib';
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
    ...{ format: 'csv', delimiter: ',' },
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

/** A zip. `stated` is the unpacked size that the file claims of each part. */
function zipOf(parts: Readonly<Record<string, Buffer>>, stated?: number): Buffer {
  const [bodies, entries]: [Buffer[], Buffer[]] = [[], []];
  for (const [path, content] of Object.entries(parts)) {
    const packed = deflateRawSync(content);
    const name = Buffer.from(path);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(8, 4);
    head.writeUInt32LE(crc32(content), 10);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(stated ?? content.length, 18);
    head.writeUInt16LE(name.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(Buffer.concat(bodies).length, 10);
    bodies.push(Buffer.from([0x50, 0x4b, 3, 4]), head, name, packed);
    entries.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), head, rest, name);
  }
  const [body, directory] = [Buffer.concat(bodies), Buffer.concat(entries)];
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length / 4, 8);
  end.writeUInt16LE(entries.length / 4, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(body.length, 16);
  return Buffer.concat([body, directory, end]);
}
const SHEET = 'xl/worksheets/sheet1.xml';
const sheetOf = (content: Buffer, stated?: number): Buffer => zipOf({ [SHEET]: content }, stated);

test('a workbook that unpacks to more than it may is refused before it is unpacked, whatever size it states', async () => {
  const bomb = sheetOf(Buffer.alloc(usualLimits.unpackedBytes + 1), 100);
  expect(bomb.length).toBeLessThan(100_000);
  const before = process.memoryUsage().rss;
  await expect(readSheet(bomb)).rejects.toMatchObject({ code: 'too_large' });
  expect(process.memoryUsage().rss - before).toBeLessThan(4 * usualLimits.unpackedBytes);
});

test.each([
  ['a row', '<row r="999999999"><c r="A1"><v>1</v></c></row>', 'too_large'],
  ['a cell', '<row r="1"><c r="XFD1"><v>1</v></c></row>', 'too_large'],
  ['a cell in the last row', '<row r="1048576"><c r="A1048576"><v>1</v></c></row>', 'too_large'],
  ['a row under a prefix, in other quotes', `<x:row x='">' r = '999999999'/>`, 'too_large'],
  ['a place in other words', '<row r="&#49;000000000"/>', 'bad_input'],
  ['a tag that does not close', '<row r="1" x="<"><c>', 'bad_input'],
])('%s so far out that the table would fill the memory is refused', async (_what, xml, code) => {
  await expect(readSheet(sheetOf(Buffer.from(xml)))).rejects.toMatchObject({ code });
});

test('rows down to the very last that only look like something are not part of the table', async () => {
  const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
  const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const text = (words: string) => `t="inlineStr"><is><t>${words}</t></is></c>`;
  const blank =
    '<row r="1048575" ht="12.8"/><row r="1048576"><c r="A1048576" s="0"/><c r="XFD1048576" s="0"/></row>';
  const parts = {
    'xl/workbook.xml': `<workbook ${main} xmlns:r="${relations}"><sheets><sheet name="1" sheetId="1" r:id="r1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    [SHEET]: `<worksheet ${main}><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" ${text('编号')}</row><row r="2"><c r="A2" ${text('b1')}</row>${blank}</sheetData></worksheet>`,
  };
  const bytes = zipOf(
    Object.fromEntries(Object.entries(parts).map(([path, xml]) => [path, Buffer.from(xml)])),
  );
  expect(await readSheet(bytes)).toEqual({
    format: 'xlsx',
    header: ['编号'],
    rows: [{ row: 2, cells: ['b1'] }],
  });
});

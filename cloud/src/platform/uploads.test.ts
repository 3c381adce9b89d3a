import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { AppError } from './errors.ts';
import { cleanSvg } from './svg.ts';
import { fileHeaders, MAX_UPLOAD_BYTES, takeUpload, type UploadType, uploadTypeOf } from './uploads.ts';

const everything: UploadType[] = ['png', 'jpg', 'webp', 'svg', 'pdf', 'xlsx', 'csv'];
const picture = (format: 'png' | 'jpeg' | 'webp') =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
    .withExif({ IFD0: { Copyright: 'where I live' } })
    .toFormat(format)
    .toBuffer();
const refused = async (bytes: Uint8Array, types = everything) => {
  const error: unknown = await takeUpload(bytes, { types }).catch((cause: unknown) => cause);
  return error instanceof AppError ? [error.code, error.details] : error;
};

describe('what a file is', () => {
  test.each([
    ['png', picture('png')],
    ['jpg', picture('jpeg')],
    ['webp', picture('webp')],
    [
      'svg',
      Buffer.from('\uFEFF<?xml version="1.0"?>\n<!-- a plan --><svg xmlns="http://www.w3.org/2000/svg"/>'),
    ],
    ['pdf', Buffer.from('%PDF-1.7\n')],
    ['xlsx', Buffer.from('PK\x03\x04rest')],
    ['csv', Buffer.from('key,name\na,甲\n')],
    [undefined, Buffer.from('MZ\x90\0\x03')],
    [undefined, Buffer.from('<!doctype html><script>1</script>')],
    [undefined, Buffer.alloc(0)],
    [undefined, Buffer.from('\x7fELF\x02\0\0')],
  ])('%s is told by its bytes', async (type, bytes) => expect(uploadTypeOf(await bytes)).toBe(type));
});

describe('a picture', () => {
  test.each(['png', 'jpeg', 'webp'] as const)(
    'as %s is drawn anew, without what it knew of its place',
    async (format) => {
      const bytes = await picture(format);
      expect(bytes.toString('latin1')).toContain('where I live');
      const taken = await takeUpload(bytes, { types: everything });
      expect(taken).toMatchObject({ mediaType: 'image/webp', width: 40, height: 30 });
      expect(taken.bytes.toString('latin1')).not.toContain('where I live');
      expect(uploadTypeOf(taken.bytes)).toBe('webp');
    },
  );

  test('that unpacks to more pixels than anybody needs is refused before it is unpacked', async () => {
    // 30,000 x 30,000 of one colour: a few kilobytes that would take gigabytes.
    const header = Buffer.from(
      await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
        .png()
        .toBuffer(),
    );
    header.writeUInt32BE(30_000, 16);
    header.writeUInt32BE(30_000, 20);
    header.writeInt32BE(crc(header.subarray(12, 29)), 29);
    expect(await refused(header)).toEqual(['too_large', { why: 'too_many_pixels' }]);
  });

  test('that is broken, too large, in disguise or not asked for is refused', async () => {
    const png = await picture('png');
    expect(await refused(png.subarray(0, 60))).toEqual(['unsupported_media', { why: 'unreadable' }]);
    expect(await refused(png, ['pdf'])).toEqual(['unsupported_media', { why: 'type' }]);
    expect(await refused(Buffer.from('<html>'))).toEqual(['unsupported_media', { why: 'type' }]);
    expect(await refused(Buffer.alloc(MAX_UPLOAD_BYTES + 1, 'a'))).toEqual(['too_large', { why: 'bytes' }]);
    expect(await refused(Buffer.from('PK\x03\x04 no workbook'))).toMatchObject(['unsupported_media', {}]);
  });
});

/** Of PNG: what says that a part is whole. */
function crc(bytes: Uint8Array): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value;
}

describe('an SVG', () => {
  const SVG =
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 50"';
  const clean = (inner: string, root = SVG): string => {
    const result = cleanSvg(`<svg ${root}>${inner}</svg>`);
    return result.ok ? result.svg.text : result.why;
  };
  const frame = (inner: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50" width="100" height="50">${inner}</svg>`;

  test('keeps what draws, also where a program wrote it as style', () => {
    const drawn =
      '<g id="a" transform="translate(1 2)"><path d="M0 0L10 10" stroke="#f00"></path><text x="1" y="2">A &amp; B</text></g>';
    expect(clean(drawn)).toBe(frame(drawn));
    expect(clean('<rect style="fill:#eee;stroke-width:2px;behavior:url(x)" width="5"/>')).toBe(
      frame('<rect fill="#eee" stroke-width="2px" width="5"></rect>'),
    );
    expect(clean('<defs><g id="t"><line x1="0"/></g></defs><use xlink:href="#t" x="3"/>')).toBe(
      frame('<defs><g id="t"><line x1="0"></line></g></defs><use href="#t" x="3"></use>'),
    );
  });

  test.each([
    ['a script', '<script>alert(1)</script>'],
    ['a script among data', '<script><![CDATA[alert(1)]]></script>'],
    ['a script of another namespace', '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>'],
    [
      'a page within',
      '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="alert(1)"/></body></foreignObject>',
    ],
    ['a listener', '<rect onload="alert(1)" onclick="alert(1)"/>'],
    ['a link that runs', '<a xlink:href="javascript:alert(1)"><rect/></a>'],
    ['a use of elsewhere', '<use href="https://evil.example/x.svg#a"/>'],
    ['a use of data', '<use href="data:image/svg+xml,&lt;script&gt;alert(1)&lt;/script&gt;"/>'],
    ['a picture from elsewhere', '<image href="https://evil.example/x.png"/>'],
    [
      'a style sheet',
      '<style>@import url(https://evil.example/x.css); rect { fill: url(javascript:alert(1)) }</style>',
    ],
    [
      'a colour from elsewhere',
      '<rect fill="url(https://evil.example/x)" style="fill:url(//evil.example)"/>',
    ],
    [
      'an animation of a link',
      '<animate attributeName="href" values="javascript:alert(1)"/><set attributeName="onload" to="alert(1)"/>',
    ],
    ['a filter from elsewhere', '<filter id="f"><feImage href="https://evil.example/x"/></filter>'],
    ['an escaped word', '<rect style="fill:u\\72l(//evil.example)"/>'],
  ])('loses %s', (_what, inner) => {
    const text = clean(inner);
    expect(text).toContain('<svg xmlns=');
    expect(text).not.toMatch(
      /script|alert|onload|onclick|evil|foreignObject|animate|<set|import|<image|<a[ >]|<style|\\72/i,
    );
  });

  test.each([
    [
      'entities of its own',
      '<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><text>&a;</text></svg>',
    ],
    [
      'an entity from a file',
      '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"/>',
    ],
    ['an element that never ends', `<svg ${SVG}><g>`],
    ['another document', '<html xmlns="http://www.w3.org/1999/xhtml"/>'],
    ['an unknown entity', `<svg ${SVG}><text>&unknown;</text></svg>`],
    ['no document', 'svg'],
  ])('with %s is refused', (_what, text) =>
    expect(cleanSvg(text)).toMatchObject({ ok: false, why: 'unreadable' }),
  );

  test('that multiplies is cut or refused, quickly', () => {
    const levels = Array.from(
      { length: 30 },
      (_, i) => `<g id="l${i + 1}">${`<use href="#l${i}"/>`.repeat(10)}</g>`,
    ).join('');
    expect(clean(`<defs><rect id="l0"/>${levels}</defs><use href="#l30"/>`)).not.toMatch(
      /use href="#l([1-9]|30)/,
    );
    expect(clean('<g/>'.repeat(100_001))).toBe('too_many_elements');
    expect(clean('<g>'.repeat(70) + '</g>'.repeat(70))).toBe('too_many_elements');
  });

  test.each(['', 'viewBox="0 0 0 5"', 'viewBox="0 0 1e9 1"', 'width="100%"', 'viewBox="a b c d"'])(
    'without a size that can be shown is refused: %s',
    (size) => expect(clean('', `xmlns="http://www.w3.org/2000/svg" ${size}`)).toBe('no_size'),
  );

  test('is sent so that it runs nothing, opened by itself, too', () => {
    expect(fileHeaders('plan.svg')).toMatchObject({
      'content-disposition': 'attachment; filename="plan.svg"',
      'content-security-policy': expect.stringMatching(/default-src 'none'.*sandbox/),
      'x-content-type-options': 'nosniff',
    });
  });
});

import { inflateSync } from 'node:zlib';

/** The words of a PDF whose fonts carry ToUnicode maps (ISO 32000-1 clause 9.10.3), in the order in which they are drawn. */
export function pdfText(pdf: Buffer): string {
  const objects = objectsOf(pdf);
  const fonts = new Map<string, ReadonlyMap<number, string>>();
  for (const { text } of objects.values())
    for (const [, name = '', id = ''] of text.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
      const unicode = /\/ToUnicode (\d+) 0 R/.exec(objects.get(id)?.text ?? '')?.[1];
      const map = unicode && objects.get(unicode)?.stream;
      if (map) fonts.set(name, mapOf(map));
    }
  const pages = [...objects.values()].flatMap(({ stream }) => (stream?.includes(' Tf') ? [stream] : []));
  return pages.map((page) => wordsOf(page, fonts)).join('\n');
}

function objectsOf(pdf: Buffer): Map<string, { text: string; stream?: string }> {
  const raw = pdf.toString('latin1');
  const objects = new Map<string, { text: string; stream?: string }>();
  for (const match of raw.matchAll(/(\d+) 0 obj\n([\s\S]*?)(?:stream\n|endobj)/g)) {
    const [whole, id = '', text = ''] = match;
    const length = Number(/\/Length (\d+)/.exec(text)?.[1] ?? 0);
    const isFlate = whole.endsWith('stream\n') && text.includes('FlateDecode') && !text.includes('/Length1');
    const from = match.index + whole.length;
    const bytes = isFlate ? pdf.subarray(from, from + length) : undefined;
    objects.set(id, { text, ...(bytes && { stream: inflateSync(bytes).toString('latin1') }) });
  }
  return objects;
}

/** Glyph -> text, from `<0000> <00ff> [<4e2d> <...>]` ranges. */
function mapOf(cmap: string): ReadonlyMap<number, string> {
  const map = new Map<number, string>();
  for (const [, from = '', , list = ''] of cmap.matchAll(/<([0-9a-f]+)> <([0-9a-f]+)> \[([^\]]*)\]/gi))
    [...list.matchAll(/<([0-9a-f ]*)>/gi)].forEach(([, hex = ''], n) => {
      const units = hex.replaceAll(' ', '').match(/.{4}/g) ?? [];
      map.set(
        Number.parseInt(from, 16) + n,
        String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16))),
      );
    });
  return map;
}

function wordsOf(page: string, fonts: ReadonlyMap<string, ReadonlyMap<number, string>>): string {
  let font: ReadonlyMap<number, string> | undefined;
  let words = '';
  for (const [, name, shown] of page.matchAll(/\/(F\d+) [\d.]+ Tf|\[([^\]]*)\] TJ/g)) {
    if (name) font = fonts.get(name);
    for (const [, hex = ''] of (shown ?? '').matchAll(/<([0-9a-f]+)>/gi))
      words += (hex.match(/.{4}/g) ?? [])
        .map((glyph) => font?.get(Number.parseInt(glyph, 16)) ?? '')
        .join('');
  }
  return words;
}

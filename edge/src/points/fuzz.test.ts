import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Format, formats } from './point.ts';
import { fixture, parse } from './testing.ts';

/** What people send: sound files to be broken, and what they think is one. */
const seeds: Readonly<Record<Format, readonly Buffer[]>> = {
  ede: [fixture('ede/north_EDE.csv')],
  modbus: [
    Buffer.from('point,slave_id,register,address,address_base,type,byte_order,scale\np,1,holding,40001,40001,uint32,CDAB,0.1\nq,2,coil,3,0,bit,,\n'),
    fixture('modbus/7M_24.yaml').subarray(0, 900),
    fixture('modbus/acrel-adw300.yaml').subarray(0, 1_200),
    fixture('modbus/model_1.json'),
    fixture('modbus/carlo-em24.json').subarray(0, 700),
  ],
  haystack: ['zinc', 'json', 'hayson.json', 'csv', 'trio'].map((ending) => fixture(`haystack/carytown.${ending}`).subarray(0, 6_000)),
  brick: [fixture('brick/bacnet.ttl'), fixture('brick/main-and-submeter.ttl')],
}; // prettier-ignore

/** Pieces that have broken parsers before. */
const spices = [
  '"', "'", ';', ',', '\t', '\n', '\r', '\0', '\\', '{', '}', '[', ']', '(', ')', '<<', '>>', '&a', '*a', '<<: *a', '---',
  '__proto__', 'constructor', 'toString', 'hasOwnProperty', '{{', '}}', '{{- end }}', '{{- else }}', '{{- if eq .a "b" }}',
  '=1+1', '@', '#', '^^', '_:', '<>', 'NaN', '-1', '1e999', '0x', '99999999999', '\u2028', '\ud800', '\ufeff', '✓', 'n:', 'r:',
]; // prettier-ignore

const edit = fc.record({
  at: fc.nat(6_000),
  cut: fc.nat(40),
  put: fc.oneof(fc.constantFrom(...spices), fc.string({ maxLength: 6 }), fc.constant('')),
});

function broken(seed: Buffer, edits: readonly { at: number; cut: number; put: string }[]): Buffer {
  let bytes = seed;
  for (const { at, cut, put } of edits) {
    const from = at % (bytes.length + 1);
    bytes = Buffer.concat([bytes.subarray(0, from), Buffer.from(put), bytes.subarray(from + cut)]);
  }
  return bytes;
}

/** Whatever the bytes: points with what a list needs, faults with what a person needs, nothing thrown. */
function check(format: Format, bytes: Uint8Array): void {
  const { found, faults } = parse(format, bytes);
  expect(found.length + faults.length).toBeGreaterThan(0);
  expect(new Set(found.map(({ point }) => point.key)).size).toBe(found.length);
  for (const { row, point } of found) {
    expect(row).toBeGreaterThan(0);
    expect([typeof point.key, typeof point.name]).toEqual(['string', 'string']);
    expect(Number.isFinite(point.scale) && point.scale !== 0 && Number.isFinite(point.offset)).toBe(true);
    expect(JSON.parse(JSON.stringify(point))).toEqual(point);
  }
  for (const { row, field, message } of faults) {
    expect([Number.isInteger(row) && row >= 0, field !== '', message !== '']).toEqual([true, true, true]);
    // eslint-disable-next-line no-control-regex -- nothing that a terminal obeys
    expect(message).not.toMatch(/[\u0000-\u0008\u001b]/);
  }
}

test.each(formats)(
  '%s: no mutation of a sound file gets through as anything but points and faults',
  (format) => {
    const files = seeds[format];
    const mutated = fc.tuple(fc.nat(files.length - 1), fc.array(edit, { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(mutated, ([seed, edits]) => {
        check(format, broken(files[seed]!, edits));
      }),
      { numRuns: 300 },
    );
  },
);

test.each(formats)('%s: neither does noise', (format) => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fc.constantFrom(...spices, 'point', 'id', 'address', 'a', '1'), { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
  ); // prettier-ignore
  fc.assert(
    fc.property(noise, (bytes) => {
      check(format, bytes);
    }),
    { numRuns: 300 },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test.each(formats)('%s: a file that is one long line, or ever the same, is refused at once', (format) => {
  const list = Buffer.from(`point,slave_id,register,address,type\n${','.repeat(1_000_001)}`);
  for (const text of [
    list,
    Buffer.alloc(3_000_100, '{}'),
    Buffer.from(`device:\n${'  a: {}\n'.repeat(600_000)}`),
  ]) {
    const { found, faults } = parse(format, text);
    expect([found.length, faults.length]).toEqual([0, expect.any(Number)]);
    expect(faults.length).toBeGreaterThan(0);
  }
});

test.each(formats)('%s: a file that is one deep nest is refused, not followed', (format) => {
  for (const bracket of ['[', '{"a":', '(', '{{- if .a }}\n', 'a: ['])
    check(format, Buffer.from(bracket.repeat(30_000)));
});

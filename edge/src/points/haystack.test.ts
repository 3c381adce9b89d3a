import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { byKey, faultsOf, fixture, parse } from './testing.ts';

const formats = ['zinc', 'json', 'hayson.json', 'csv', 'trio'];

test('five spellings of one model are one list of points', () => {
  const [zinc, ...others] = formats.map((ending) =>
    parse('haystack', fixture(`haystack/carytown.${ending}`)),
  );
  const sorted = ({ found }: typeof zinc & object): unknown[] =>
    found.map(({ point }) => point).sort((a, b) => (a.key < b.key ? -1 : 1));
  expect(zinc?.found).toHaveLength(18);
  for (const other of [zinc, ...others]) {
    expect(other?.faults).toEqual([]);
    expect(sorted(other!)).toEqual(sorted(zinc!));
  }
});

test('a point knows its site, equipment, unit and markers', () => {
  expect(byKey(parse('haystack', fixture('haystack/carytown.trio')))).toMatchObject({
    'p_demo_r_23a44701-4ea35663': {
      name: 'Carytown RTU-1 ZoneTempSp',
      site: 'Carytown',
      equipment: 'Carytown RTU-1',
      unit: '°C',
      sourceUnit: '°F',
      kind: 'gauge',
      writable: true,
      tags: ['air', 'cur', 'effective', 'his', 'point', 'sp', 'temp', 'zone'],
    },
  });
});

test('a gzip is opened', () => {
  expect(parse('haystack', gzipSync(fixture('haystack/carytown.zinc'))).found).toHaveLength(18);
});

test('a bad cell of zinc costs its own row', () => {
  const text = 'ver:"3.0"\nid,point,dis,kind\n@a,M,"A","Number"\n@b,M,bare word,"Number"\n@c,M,"C, with (comma]","Bool"\n,M,"D","Bool"\n@a,M,"E","Bool"\n@f,M,"F","Float"';
  const parsed = parse('haystack', text);
  expect(faultsOf(parsed)).toEqual(['4 dis', '6 id', '7 id', '8 kind']);
  expect(parsed.found.map(({ row, point }) => [row, point.name])).toEqual([[3, 'A'], [5, 'C, with (comma]']]);
}); // prettier-ignore

test('a grid within a grid is read', () => {
  const text = 'ver:"3.0"\nid,point,dis,kind,sub\n@a,M,"A","Number",<<\nver:"3.0"\nx\n1\n>>\n';
  expect(byKey(parse('haystack', text))).toMatchObject({ a: { name: 'A' } });
});

test('a connector’s address becomes the driver’s', () => {
  const text =
    'id: @a "A"\npoint\nkind: "Number"\nbacnetCur: "AI3"\n---\nid: @b B\npoint\nkind: Number\nmodbusCur: "40017"\n';
  expect(byKey(parse('haystack', text))).toMatchObject({
    a: { protocol: 'bacnet', address: 'analog-input,3' },
    b: { protocol: 'modbus', address: 'hr:16:u16' },
  });
});

test.each([
  ['a history', 'ver:"3.0"\nts,val\n2020-01-01T00:00:00Z UTC,1\n', '1 point'],
  ['JSON that breaks off', '{"rows": [\n', '2 json'],
  ['a list of words', '["a"]', '1 row'],
  ['columns of one name', 'ver:"3.0"\nid,id\n@a,@b\n', '2 id'],
  ['a line that is no tag', 'id: @a\n{}\n', '2 tag'],
])('%s is refused', (_what, text, fault) => {
  expect(faultsOf(parse('haystack', text))[0]).toBe(fault);
  expect(parse('haystack', text).found).toEqual([]);
});

test('names that mean something to JavaScript are names like any other', () => {
  const text =
    '[{"__proto__": {"polluted": "s:1"}, "constructor": "m:", "id": "r:a A", "point": "m:", "kind": "s:Number"}]';
  expect(byKey(parse('haystack', text))).toMatchObject({ a: { name: 'A', tags: ['constructor', 'point'] } });
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

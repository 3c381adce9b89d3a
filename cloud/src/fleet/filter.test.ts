import { describe, expect, test } from 'vitest';
import { AppError } from '../platform/errors.ts';
import { filterOf, FilterError, parseFilter } from './filter.ts';
import { type Tags, tagName } from './tags.ts';

const things: Readonly<Record<string, Tags>> = {
  mill: new Map<string, true | { ref: string }>([
    ['id', { ref: 'mill' }],
    ['site', true],
  ]),
  ahu: new Map<string, true | { ref: string }>([
    ['id', { ref: 'ahu' }],
    ['equip', true],
    ['ahu', true],
    ['siteRef', { ref: 'mill' }],
  ]),
};
const point: Tags = new Map<string, true | string | number | { ref: string }>([
  ['id', { ref: 'ahu.t' }],
  ...['point', 'zone', 'temp', 'air'].map((name) => [name, true] as const),
  ['unit', '°C'],
  ['stage', 2],
  ['equipRef', { ref: 'ahu' }],
  ['siteRef', { ref: 'mill' }],
]);
const resolve = (ref: string) => things[ref];

describe('a filter', () => {
  test.each([
    ['point and zone and temp', true],
    ['elec and meter and siteRef==@mill', false],
    ['siteRef==@mill', true],
    ['siteRef==@other or stage >= 2', true],
    ['not writable and (zone or floor)', true],
    ['unit == "°C"', true],
    ['stage < 2', false],
    ['equipRef->ahu', true],
    ['equipRef->siteRef->site', true],
    ['equipRef->vav', false],
    ['missing', false],
  ])('%s is %s', (text, expected) => expect(parseFilter(text, resolve)(point)).toBe(expected));

  test.each([
    ['point and', 9],
    ['', 0],
    ['siteRef=@mill', 8],
    ['zone foo', 5],
    ['point and (zone', 15],
    ['a "x', 4],
    ['point and ^zone', 10],
    ['point and inputs?', 10],
    ['point ; drop table point', 6],
  ])('that cannot be read tells where: %s at %i', (text, position) => {
    let error: unknown;
    try {
      parseFilter(text, resolve);
    } catch (cause) {
      error = cause;
    }
    expect(error).toBeInstanceOf(FilterError);
    expect((error as FilterError).position).toBeGreaterThanOrEqual(Math.min(position, text.length) - 1);
    expect((error as FilterError).position).toBeLessThanOrEqual(text.length);
    expect(() => filterOf(text, resolve)).toThrow(AppError);
  });

  test.each([
    ['maxVal > 20°C', 9, /unit=="°C" and for 20$/],
    ['point and minVal == -1.5e2kW', 20, /unit=="kW" and for -1\.5e2$/],
    ['installed > 2024-01-01', 12, /write "2024-01-01"/],
    ['at >= 2024-01-01T00:00:00Z UTC', 6, /write "2024-01-01T00:00:00Z"/],
    ['begins == 08:30', 10, /write "08:30"/],
  ])('%s, which no tag could answer, is refused with what to ask instead', (text, position, words) => {
    expect(() => parseFilter(text, resolve)).toThrow(words);
    expect(() => parseFilter(text, resolve)).toThrow(expect.objectContaining({ position }));
  });

  test('what only looks like a unit or a day is none', () => {
    for (const text of [
      'equipRef == @b-20c.2024-01-01',
      'a2b > 1e5',
      'dis == "20°C on 2024-01-01"',
      'x->y2k',
      'n == -7',
    ])
      expect(() => parseFilter(text, resolve)).not.toThrow();
  });

  test('nested as deep as it may be long neither hangs nor falls over', () => {
    const deep = `${'('.repeat(240)}point${')'.repeat(240)}`;
    expect(parseFilter(deep, resolve)(point)).toBe(true);
  });
});

test.each([
  ['electricity', 'elec'],
  ['phase-a', 'phaseA'],
  ['rate-peak', 'ratePeak'],
  ['zone', 'zone'],
])('%s of a template is the tag %s', (word, name) => expect(tagName(word)).toBe(name));

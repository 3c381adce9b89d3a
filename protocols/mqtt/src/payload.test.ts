import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePoint, parsePayload, pathsOf, sourceTime } from './payload.ts';

const text = (json: string) => parsePayload(Buffer.from(json));
const gauge = { scale: 1, kind: 'gauge' } as const;
const register = { scale: 1, kind: 'register' } as const;
const noon = Date.UTC(2026, 10, 22, 12);

describe('a value of a payload', () => {
  test.each([
    ['a number', '{"t":21.5}', ['t'], gauge, 21.5],
    ['true is 1', '{"open":true}', ['open'], { scale: 1, kind: 'state' } as const, 1],
    ['false is 0', '{"open":false}', ['open'], gauge, 0],
    ['a bare number', '-3.25', [], gauge, -3.25],
    ['an element of a list', '{"v":[1,2,3]}', ['v', '2'], gauge, 3],
    ['scaled without binary noise', '{"u":2301}', ['u'], { ...gauge, scale: 0.1 }, 230.1],
    ['a register as whole counts', '{"e":12.345}', ['e'], { ...register, scale: 1000 }, 12345],
  ])('%s', (_what, json, path, point, value) => {
    expect(decodePoint(text(json), path, point)).toEqual({ ok: true, value });
  });

  test.each([
    ['no JSON', '{"t":', ['t'], gauge, 'payload is not JSON'],
    ['nothing', '', ['t'], gauge, 'empty payload'],
    ['a name that is not there', '{"t":1}', ['x'], gauge, 'no /x in the payload'],
    ['a path through a number', '{"t":1}', ['t', 'x'], gauge, 'no /t/x in the payload'],
    ['a length of a list', '{"v":[1]}', ['v', 'length'], gauge, 'no /v/length in the payload'],
    ['what every object has', '{}', ['__proto__'], gauge, 'no /__proto__ in the payload'],
    ['null', '{"t":null}', ['t'], gauge, '/t is null, neither number nor true or false'],
    ['text, even of digits', '{"t":"21"}', ['t'], gauge, '/t is text, neither number nor true or false'],
    ['a list', '[1]', [], gauge, 'payload is a list, neither number nor true or false'],
    ['an object', '{"t":{}}', ['t'], gauge, '/t is an object, neither number nor true or false'],
    ['a number too large for a double', '1e999', [], gauge, 'infinite'],
    [
      'a sentinel',
      '{"t":-99}',
      ['t'],
      { ...gauge, limits: { sentinels: [-99] } },
      '-99 means no measurement',
    ],
    [
      'an impossible value',
      '{"t":200}',
      ['t'],
      { ...gauge, limits: { max: 100 } },
      '200 is outside -Infinity..100',
    ],
    ['a count that is not exact', '9007199254740993', [], register, 'above 2^53'],
  ])('is refused: %s', (_what, json, path, point, why) => {
    expect(decodePoint(text(json), path, point)).toEqual({ ok: false, why });
  });

  test('bytes that are no UTF-8 are no payload', () => {
    expect(parsePayload(Buffer.of(0x22, 0xff, 0x22))).toEqual({ ok: false, why: 'payload is not JSON' });
  });

  test('whatever the bytes and the path: a finite number or a reason, never an exception', () => {
    const json = fc.json().map((one) => Buffer.from(one));
    const bytes = fc.oneof(
      json,
      fc.uint8Array({ maxLength: 200 }).map((one) => Buffer.from(one)),
    );
    const step = fc.oneof(
      fc.string(),
      fc.constantFrom('__proto__', 'constructor', 'length', '0', 'toString'),
    );
    fc.assert(
      fc.property(bytes, fc.array(step), fc.double(), fc.boolean(), (payload, path, scale, isRegister) => {
        const document = parsePayload(payload);
        const decoded = decodePoint(document, path, { scale, kind: isRegister ? 'register' : 'gauge' });
        if (decoded.ok) expect(Number.isFinite(decoded.value)).toBe(true);
        else expect(decoded.why).not.toBe('');
        expect(Number.isInteger(sourceTime(document, noon))).toBe(true);
        for (const found of pathsOf(document, 20))
          expect(decodePoint(document, found, { scale: 1, kind: 'gauge' })).toMatchObject({ ok: true });
      }),
      { numRuns: 5_000 },
    );
  });

  test('nesting as deep as a packet allows is no way to end the process', () => {
    const deep = Buffer.from('['.repeat(32_000) + ']'.repeat(32_000));
    const document = parsePayload(deep);
    expect(pathsOf(document, 20)).toEqual([]);
    expect(decodePoint(document, ['0'], gauge).ok).toBe(false);
  });
});

describe('the source time', () => {
  test.each([
    ['a second ago', noon - 1_000, noon - 1_000],
    ['now', noon, noon],
    ['a little ahead counts as now', noon + 1_500, noon],
    ['far ahead is not believed', noon + 3_000, noon],
    ['long ago is not believed', noon - 31_000, noon],
    ['seconds instead of milliseconds are not believed', noon / 1_000, noon],
    ['a broken number is not believed', noon - 0.5, noon],
  ])('%s', (_what, ts, at) => {
    expect(sourceTime(text(JSON.stringify({ ts })), noon)).toBe(at);
  });

  test.each(['21', '{"ts":"2026-11-22T12:00:00Z"}', '{', 'null'])(
    '%s has none: the arrival counts',
    (json) => {
      expect(sourceTime(text(json), noon)).toBe(noon);
    },
  );
});

test('the paths of a document are those of its numbers and switches', () => {
  const document = text('{"ts":1,"count":{"in":2},"list":[true,null,"x"],"name":"gate"}');
  expect(pathsOf(document, 10)).toEqual([['ts'], ['count', 'in'], ['list', '0']]);
  expect(pathsOf(document, 2)).toHaveLength(2);
  expect(pathsOf(text('7'), 10)).toEqual([[]]);
});

describe('a payload that is no JSON', () => {
  test.each([
    ['ON', 1],
    ['off', 0],
    [' True\n', 1],
    ['+5', 5],
    ['.5', 0.5],
    ['007', 7],
    ['-12.', -12],
    ['1,5', 'payload is neither JSON, nor a number, nor a word that was declared'],
    ['21 °C', 'payload is neither JSON, nor a number, nor a word that was declared'],
    ['constructor', 'payload is neither JSON, nor a number, nor a word that was declared'],
    ['x'.repeat(101), 'payload is not JSON'],
  ])('%j is %s', (payload, expected) => {
    const decoded = decodePoint(text(payload), [], gauge);
    expect(decoded.ok ? decoded.value : decoded.why).toBe(expected);
  });

  test('words that were declared take the place of the usual ones, in objects too', () => {
    const words = { auf: 1, zu: 0, halb: 0.5 };
    expect(decodePoint(text('Auf'), [], gauge, words)).toEqual({ ok: true, value: 1 });
    expect(decodePoint(text('{"pos":"HALB"}'), ['pos'], gauge, words)).toEqual({ ok: true, value: 0.5 });
    expect(decodePoint(text('ON'), [], gauge, words).ok).toBe(false);
    expect(decodePoint(text('20'), [], { ...gauge, scale: 0.1, offset: 5 })).toEqual({ ok: true, value: 7 });
  });
});

describe('a declared source time', () => {
  test.each([
    [
      'seconds',
      { path: ['t'], format: 's', maxLagMs: 1_000 } as const,
      '{"t":1795348799.5}',
      1_795_348_799_500,
    ],
    [
      'ISO 8601',
      { path: ['t'], format: 'iso', maxLagMs: 1_000 } as const,
      '{"t":"2026-11-22T13:59:59.5+02:00"}',
      -500,
    ],
    [
      'ISO 8601 without a zone is nobody knows when',
      { path: ['t'], format: 'iso', maxLagMs: 1e9 } as const,
      '{"t":"2026-11-22T11:00:00"}',
      0,
    ],
    [
      'an hour late where that is allowed',
      { path: ['t'], format: 'ms', maxLagMs: 86_400_000 } as const,
      `{"t":${noon - 3_600_000}}`,
      -3_600_000,
    ],
    [
      'an hour late where it is not',
      { path: ['t'], format: 'ms', maxLagMs: 30_000 } as const,
      `{"t":${noon - 3_600_000}}`,
      0,
    ],
  ])('%s', (_what, rule, json, expected) => {
    const wanted = Math.abs(expected) < 1e10 ? noon + expected : expected;
    expect(sourceTime(text(json), rule.format === 's' ? 1_795_348_800_000 : noon, rule)).toBe(wanted);
  });
});

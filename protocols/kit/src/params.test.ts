import fc from 'fast-check';
import * as typebox from 'typebox';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { DriverError } from './errors.ts';
import { checkParams, parseParams } from './params.ts';
import { Type } from './schema.ts';

const strict = { additionalProperties: false };

/** One of everything a driver can ask for, by the builders of `T`. */
const written = (T: typeof Type) =>
  T.Object(
    {
      port: T.Integer({ minimum: 1, maximum: 9 }),
      mode: T.Union([T.Literal('fast'), T.Literal('slow')], { default: 'slow' }),
      bits: T.Union([T.Literal(7), T.Literal(8)]),
      peers: T.Array(T.Object({ host: T.String({ minLength: 1, maxLength: 3 }) }, strict), { default: [] }),
      parity: T.Enum(['even', 'odd'], { default: 'odd' }),
      isEcho: T.Boolean({ default: false }),
      name: T.Optional(T.String({ pattern: '^a+$' })),
      ratio: T.Optional(T.Number({ maximum: 2 })),
      words: T.Optional(T.Record(T.String(), T.Number({ minimum: 0 }))),
      time: T.Object({ pointer: T.String({ default: '/ts' }) }, { ...strict, default: {} }),
    },
    strict,
  );
const ours = written(Type);
const theirs = written(typebox.Type);

function told(params: unknown): string[] {
  try {
    parseParams(ours, params, 'bus');
  } catch (error) {
    if (error instanceof DriverError && error.code === 'config' && error.where === 'bus')
      return error.message.split('; ');
    throw error;
  }
  return [];
}

test('the schema is the JSON Schema that typebox writes', () => {
  expect(ours).toEqual(theirs);
});

const anything = fc.oneof(
  fc.constantFrom(undefined, null, 0, 1, 1.5, 8, 10, NaN, '', 'a', 'fast', 'odd', 'abcd', true, [], {}),
  fc.constantFrom(
    [{ host: 'a' }],
    [{ host: '', x: 1 }],
    { pointer: '/t' },
    { pointer: 1 },
    { a: 1 },
    { a: -1 },
  ),
);
const nearly = fc.record(
  Object.fromEntries([...Object.keys(ours.properties), 'odd'].map((key) => [key, anything])),
  { requiredKeys: [] },
);
const right = { port: 1, bits: 8 };

test('agrees with typebox on what fits and on what is filled in', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anything,
        nearly,
        nearly.map((some) => ({ ...right, ...some })),
        fc
          .record({ key: fc.constantFrom(...Object.keys(ours.properties)), value: anything })
          .map(({ key, value }) => ({ ...right, [key]: value })),
      ),
      (params) => {
        const filled = Value.Default(theirs, Value.Clone(params));
        const fits = Value.Check(theirs, filled);
        expect(told(params).length === 0).toBe(fits);
        if (fits) expect(parseParams(ours, params, 'bus')).toEqual(filled);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('every fault is told once, by its field, choices with their members and unknown keys by name', () => {
  const params = { port: 0, bits: 9, mode: 'soon', peers: [{ host: 'long', prt: 1 }], timeout: 5, name: 'b' };
  expect(told(params).toSorted()).toEqual([
    'bits must be one of 7, 8',
    'mode must be one of fast, slow',
    'name must match pattern "^a+$"',
    'peers/0/host must not have more than 3 characters',
    'peers/0/prt is no parameter',
    'port must be >= 1',
    'timeout is no parameter',
  ]);
});

test('what is missing, or no object at all, is told', () => {
  expect(told({ mode: 'fast' })).toEqual(['params must have required properties port, bits']);
  expect(told(null)).toEqual(['params must be object']);
});

test('what is given stays as it is, and is not filled in where absence means something', () => {
  const params = Object.freeze({ ...right, time: Object.freeze({}) });
  expect(parseParams(ours, params, 'bus').time).toEqual({ pointer: '/ts' });
  expect(params.time).toEqual({});
  const Own = Type.Object({ gap: Type.Optional(Type.Integer({ default: 10 })) });
  expect(checkParams(Own, {}, 'device')).toEqual({});
});

test('an option that would not be checked cannot be written', () => {
  expect(() => Type.String({ format: 'uuid' })).toThrow('parameters know no option format');
});

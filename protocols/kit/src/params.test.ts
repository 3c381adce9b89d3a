import { schemaErrors } from '@parkline/contract';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { paramsError } from './params.ts';

const strict = { additionalProperties: false };
const Params = Type.Object(
  {
    port: Type.Integer({ minimum: 1 }),
    mode: Type.Union([Type.Literal('fast'), Type.Literal('slow')]),
    peers: Type.Array(Type.Object({ host: Type.String() }, strict)),
  },
  strict,
);
const told = (params: unknown) => paramsError(schemaErrors(Params, params), 'bus');

test('every fault is told once, by its field, choices with their members and unknown keys by name', () => {
  const error = told({ port: 0, mode: 'soon', peers: [{ host: 'a', prt: 1 }], timeout: 5 });
  expect(error).toMatchObject({ code: 'config', where: 'bus' });
  expect(error.message.split('; ').toSorted()).toEqual([
    'mode must be one of fast, slow',
    'peers/0/prt is no parameter',
    'port must be >= 1',
    'timeout is no parameter',
  ]);
});

test('what is missing, or no object at all, is told', () => {
  expect(told({ mode: 'fast', peers: [] }).message).toBe('params must have required properties port');
  expect(told(null).message).toBe('params must be object');
});

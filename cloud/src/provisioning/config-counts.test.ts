import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { countChanges } from './config-counts.ts';

const point = (id: string, more: object = {}) => ({ id, key: `key-${id}`, pollMs: 1_000, ...more });
const device = (equipmentId: string, ...points: object[]) => ({ equipmentId, name: equipmentId, points });
const bus = (id: string, ...devices: object[]) => ({ id, driver: 'modbus', params: { port: 502 }, devices });
const config = (connections: object[], more: object = {}) =>
  stringify({ version: 1, nats: { url: 'nats://a' }, ...more, connections });

const small = config([bus('b1', device('d1', point('p1'), point('p2'))), bus('b2')]);

test('before the first configuration all of it is added', () => {
  expect(countChanges('', small)).toEqual([
    { kind: 'bus', added: 2, changed: 0, removed: 0 },
    { kind: 'device', added: 1, changed: 0, removed: 0 },
    { kind: 'point', added: 2, changed: 0, removed: 0 },
    { kind: 'setting', added: 2, changed: 0, removed: 0 },
  ]);
});

test('each difference counts once, for the thing that it is of', () => {
  const next = config(
    [bus('b2', device('d1', point('p1', { pollMs: 5_000 }), point('p3'))), bus('b3', device('d2'))],
    { nats: { url: 'nats://b' } },
  );
  expect(countChanges(small, next)).toEqual([
    { kind: 'bus', added: 1, changed: 0, removed: 1 },
    { kind: 'device', added: 1, changed: 1, removed: 0 },
    { kind: 'point', added: 1, changed: 1, removed: 1 },
    { kind: 'setting', added: 0, changed: 1, removed: 0 },
  ]);
});

test.each([
  ['the same', small],
  [
    'the same in another order, with a comment',
    `# by hand\n${config([bus('b2'), bus('b1', device('d1', point('p2'), point('p1')))])}`,
  ],
])('%s differs in nothing', (_what, next) => {
  expect(countChanges(small, next)).toEqual([]);
});

test.each(['connections: soon', 'connections: [1, {devices: none}]', '- a', 'text'])(
  'a text that is none of a gateway (%s) is counted as far as it goes',
  (yaml) =>
    expect(countChanges('', yaml).every(({ changed, removed }) => changed + removed === 0)).toBe(true),
);

test.each([
  ['an alias without an anchor', 'x: *nope'],
  ['an alias of what it is in', 'x: &a { y: *a }'],
])('a text with %s counts as empty', (_what, yaml) => {
  expect(countChanges(yaml, small)).toEqual(countChanges('', small));
});

test('an id that is a map is one like any other', () => {
  expect(countChanges('', 'connections: [{ id: { toString: 1 } }]')).toEqual([
    { kind: 'bus', added: 1, changed: 0, removed: 0 },
  ]);
});

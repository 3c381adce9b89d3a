import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createScenarioBook } from './scenario-book.ts';
import { type Effect, parseScenario } from './scenarios.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sim-book-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const fails: Effect = { kind: 'trouble', device: 'ahu', trouble: 'fan-fails' };
const scenario = (name: string, effects: readonly Effect[]) =>
  parseScenario(
    JSON.stringify({
      name,
      title: { en: 'T', zh: '题' },
      happens: { en: 'H', zh: '况' },
      effects,
      expects: { rule: 'r', device: 'ahu' },
    }),
    name,
  );
const scenarios = [scenario('fan', [fails]), scenario('storm', [fails, { kind: 'silent', device: 'ahu' }])];

test('a scenario is on from the moment it is called up to the moment it is ended', () => {
  const book = createScenarioBook({ scenarios });
  expect(book.state('fan').since).toBeUndefined();
  expect(book.set('fan', true, 100)).toBe(true);
  expect(book.set('fan', true, 150)).toBe(false);
  expect(book.state('fan').since).toBe(100);
  expect(book.set('fan', false, 200)).toBe(true);
  expect(book.set('fan', false, 250)).toBe(false);
  expect(book.trouble('fan').spans()).toEqual([[100, 200]]);
});

test('a name that is none is refused with those there are', () => {
  const book = createScenarioBook({ scenarios });
  expect(() => book.set('fun', true, 1)).toThrow('no scenario fun; there are fan, storm');
});

test('two scenarios with the same trouble make one', () => {
  const { set, troubles } = createScenarioBook({ scenarios });
  set('fan', true, 100);
  set('storm', true, 150);
  set('fan', false, 200);
  set('storm', false, 300);
  expect(troubles('ahu', 'fan-fails').spans()).toEqual([[100, 300]]);
  expect(troubles('ahu', 'valve-jams').spans()).toEqual([]);
  expect(troubles('other', 'fan-fails').spans()).toEqual([]);
});

test('a clock that was set back makes no span end before it began', () => {
  const book = createScenarioBook({ scenarios });
  book.set('fan', true, 500);
  book.set('fan', false, 400);
  book.set('fan', true, 300);
  expect(book.trouble('fan').spans()).toEqual([
    [500, 500],
    [500, Infinity],
  ]);
});

test('what was on is on after a restart, since the same moment', () => {
  const file = join(folder, 'scenarios.json');
  const before = createScenarioBook({ scenarios, file });
  before.set('fan', true, 100);
  before.set('fan', false, 200);
  before.set('fan', true, 300);
  const after = createScenarioBook({ scenarios, file });
  expect(after.state('fan').since).toBe(300);
  expect(after.trouble('fan').spans()).toEqual(before.trouble('fan').spans());
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    fan: [
      [100, 200],
      [300, null],
    ],
  });
});

test('a file that cannot be read is named, not thrown away', () => {
  const file = join(folder, 'scenarios.json');
  writeFileSync(file, '{"fan": [[1');
  expect(() => createScenarioBook({ scenarios, file })).toThrow(`${file} cannot be read`);
});

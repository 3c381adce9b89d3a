import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { longestFirst, seconds } from './longest-first.ts';

const root = join(import.meta.dirname, '..');

test('every file that is said to take long is there', () => {
  expect(Object.keys(seconds).filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('what takes longest begins, project by project, and the rest keeps its order', () => {
  const [long, longest] = Object.entries(seconds)
    .toSorted(([, a], [, b]) => a - b)
    .map(([file]) => file)
    .slice(-2) as [string, string];
  const of = (project: string) => (file: string) => ({
    project: { name: project },
    moduleId: join(root, file),
  });
  const usual = [
    ...['z.test.ts', 'a.test.ts', long, longest].map(of('int')),
    ...['b.test.ts', long].map(of('int-native')),
  ];
  expect(longestFirst(usual)).toEqual([
    ...[longest, long, 'z.test.ts', 'a.test.ts'].map(of('int')),
    ...[long, 'b.test.ts'].map(of('int-native')),
  ]);
});

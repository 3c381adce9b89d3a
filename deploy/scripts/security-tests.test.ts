import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/security-tests.md'), 'utf8');

test('every demand on security names tests, and each of them is there', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('|') && !/^\| (#|Demand|-)/.test(line));
  expect(rows.length).toBeGreaterThan(40);
  for (const row of rows) {
    // The cell before the last: what shows it.
    const named = [...(row.split('|').at(-3) ?? '').matchAll(/`([\w./-]+\.ts)`/g)].map(
      ([, path = '']) => path,
    );
    expect(named.length, row).toBeGreaterThan(0);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  }
});

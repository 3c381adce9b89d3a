import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBooks } from './billing.ts';
import type { Home } from './home.ts';

let history: string;
beforeEach(async () => {
  history = await mkdtemp(join(tmpdir(), 'parkline-books-'));
});
afterEach(() => rm(history, { recursive: true }));

const context = () => ({ root: '/repo', home: { history } as Home });

test('stores the tariff and the locked month of the account once, and again when it was cut short', async () => {
  const asked: string[][] = [];
  let broken = true;
  const parkline = (args: readonly string[]) => {
    asked.push([...args]);
    return args[1] === 'run' && broken ? Promise.reject(new Error('killed')) : Promise.resolve('');
  };
  await expect(openBooks(context(), parkline, 'demo')).rejects.toThrow('killed');
  broken = false;
  expect(await openBooks(context(), parkline, 'demo')).toBe(true);
  expect(await openBooks(context(), parkline, 'demo')).toBe(false);
  const both = [
    ['billing', 'tariff', '/repo/deploy/local/demo-tariff.json', '--account', 'demo'],
    ['billing', 'run', '/repo/tests/fixtures/billing-2026-10', '--store', '--lock', '--account', 'demo'],
  ];
  expect(asked).toEqual([...both, ...both]);
  expect(JSON.parse(await readFile(join(history, 'booked.json'), 'utf8'))).toEqual({ account: 'demo' });
});

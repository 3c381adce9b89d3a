import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { scratch } from '../testing/scratch.ts';
import { register } from './writing.ts';

async function run(home: string, ...args: string[]): Promise<string> {
  let text = '';
  const io = { out: (more: string) => void (text += more), err: () => undefined, env: {}, cwd: home };
  const program = new Command('parkline').exitOverride();
  register(program, io);
  await program.parseAsync(['writing', ...args], { from: 'user' });
  return text;
}

test('the switch is a file in the home of the gateway that says who and when', async () => {
  using home = scratch();
  writeFileSync(join(home.path, 'gateway.yaml'), '');
  expect(await run(home.path, 'status')).toBe('remote writing is on\n');
  expect(await run(home.path, 'off')).toMatch(/^remote writing is off since 20\S+Z by \S+\n$/);
  expect(existsSync(join(home.path, 'writing.off'))).toBe(true);
  expect(JSON.parse(await run(home.path, 'status', '--json'))).toMatchObject({ writing: 'off' });
  expect(await run(home.path, 'on', '--home', home.path)).toBe('remote writing is on\n');
  expect(existsSync(join(home.path, 'writing.off'))).toBe(false);
});

test('a file made by hand is a switch, too', async () => {
  using home = scratch();
  writeFileSync(join(home.path, 'gateway.yaml'), '');
  writeFileSync(join(home.path, 'writing.off'), '');
  expect(await run(home.path, 'status')).toBe('remote writing is off\n');
});

test('a folder that is no gateway has no switch', async () => {
  using home = scratch();
  await expect(run(home.path, 'off', '--home', home.path)).rejects.toThrow('is no home of a gateway');
});

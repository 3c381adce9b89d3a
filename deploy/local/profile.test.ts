import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepProfile, parkOfHome } from './profile.ts';

let folder: string;
let file: string;
/** Park files that are there. */
let demo: string;
let small: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parkline-profile-'));
  [file, demo, small] = ['profile.json', 'demo.yaml', 'small.yaml'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const park of [demo, small]) await writeFile(park, '');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Plain `npm start`, which means the demo park where the home holds nothing. */
const plain = () => ({ park: demo, isParkNamed: false });
const named = (park: string | undefined) => ({ park, isParkNamed: true });

test('a fresh home takes any park', async () => {
  expect(await parkOfHome(file, named(undefined))).toBeUndefined();
  expect(await parkOfHome(file, named(small))).toBe(small);
  expect(await parkOfHome(file, plain())).toBe(demo);
});

test('a home goes on with the park that it holds, said again or not', async () => {
  for (const park of [undefined, small, demo]) {
    await keepProfile(file, park);
    expect(await parkOfHome(file, plain())).toBe(park);
    expect(await parkOfHome(file, named(park))).toBe(park);
  }
});

test('a home refuses another park than it holds', async () => {
  await keepProfile(file, undefined);
  await expect(parkOfHome(file, named(demo))).rejects.toThrow(/holds an empty park/);
  await keepProfile(file, demo);
  for (const other of [undefined, small])
    await expect(parkOfHome(file, named(other))).rejects.toThrow(/holds the simulated park of .*demo\.yaml/);
});

test('a home whose park file is gone says so', async () => {
  await keepProfile(file, small);
  await rm(small);
  await expect(parkOfHome(file, plain())).rejects.toThrow(/small\.yaml, and there is no such file/);
});

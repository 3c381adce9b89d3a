import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, expect, test } from 'vitest';
import { openIdentityStore } from '../identity/store.ts';
import { realDisk } from '../base/disk.ts';
import { scratch } from '../testing/scratch.ts';
import { register } from './gateway.ts';

afterEach(() => {
  process.exitCode = undefined;
});

/** Runs `parkline gateway ...` in this process. */
async function gateway(...args: string[]) {
  process.exitCode = undefined;
  const said = { out: '', err: '' };
  const program = new Command('parkline').exitOverride();
  register(program, {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    ...{ env: {}, cwd: import.meta.dirname },
  });
  await program.parseAsync(['gateway', ...args], { from: 'user' });
  return { ...said, code: process.exitCode ?? 0 };
}

const doctor = async (home: string) => {
  const { out, code } = await gateway('doctor', '--home', home, '--json');
  const { findings } = JSON.parse(out) as {
    findings: Record<'check' | 'state' | 'found' | 'todo', string>[];
  };
  return { findings, code, claim: findings.find(({ check }) => check === 'claim') };
};

test('the doctor of an empty folder says that nobody claimed it, and how to', async () => {
  using home = scratch();
  const { findings, claim, code } = await doctor(home.path);
  expect(claim).toMatchObject({ state: 'fail', found: expect.stringMatching(/not claimed yet/) });
  expect(claim?.todo).toContain(
    `parkline gateway claim --url https://… --code-file code.txt --home ${home.path}`,
  );
  expect(findings.map(({ check }) => check)).toEqual(['claim', 'clock']);
  expect(code).toBe(3);
});

test('the doctor of a gateway that waits for its cloud finds nothing broken, and asks for a claim', async () => {
  using home = scratch();
  const { out } = await gateway(
    'prepare',
    '--home',
    home.path,
    '--name',
    'Plant room A',
    '--site',
    'harbour',
  );
  expect(out).toMatch(/^Plant room A is prepared/);
  const { findings, claim } = await doctor(home.path);
  expect(claim).toMatchObject({ state: 'warn', todo: expect.stringMatching(/parkline gateway claim/) });
  expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
});

test('the doctor of a claim that was cut off says to run it again', async () => {
  using home = scratch();
  openIdentityStore(home.path, realDisk).prepare();
  expect((await doctor(home.path)).claim?.todo).toMatch(/run the same parkline gateway claim again/);
});

test('a prepared home is not prepared again', async () => {
  using home = scratch();
  writeFileSync(join(home.path, 'gateway.yaml'), '');
  await expect(gateway('prepare', '--home', home.path, '--name', 'A', '--site', 'b')).rejects.toThrow(
    /is there already/,
  );
});

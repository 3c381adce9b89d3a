import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, expect, test } from 'vitest';
import { givenAccount } from '../identity/testing.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets, keyIdOf, sealedPlace } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { register } from './secrets.ts';

const { url, owner, pool } = await clonedDatabase();
const accounts = [await givenAccount(owner), await givenAccount(owner)];
const cwd = await mkdtemp(join(tmpdir(), 'parkline-secrets-'));
afterAll(() => rm(cwd, { recursive: true }));
const file = join(cwd, 'deep/sealing.keys');

async function parkline(...args: string[]): Promise<string> {
  let printed = '';
  const env = { DATABASE_URL: url, SECRETS_KEY_FILE: file };
  const program = new Command('parkline').exitOverride().configureOutput({ writeErr: () => undefined });
  register(program, { out: (text) => void (printed += text), err: () => undefined, env, cwd });
  await program.parseAsync(['secrets', ...args], { from: 'user' });
  return printed;
}

// A table of this test's own: rotation finds what is named sealed_*, whoever made it.
const db = pool();
await db.query(`create table thing (account_id uuid not null, part text not null, sealed_word text, sealed_other text,
  primary key (account_id, part))`);
await db.query(`call protect_by_account('thing')`);
const put = (account: string, part: string, word: string | null, other: string | null) =>
  db.query('insert into thing values ($1, $2, $3, $4)', [account, part, word, other]);
const rows = async () =>
  (
    await db.query<{
      account_id: string;
      part: string;
      sealed_word: string | null;
      sealed_other: string | null;
    }>('select * from thing order by 1, 2')
  ).rows;
const words = async (secrets = createSecrets(file)) =>
  (await rows()).flatMap(({ account_id, part, sealed_word, sealed_other }) => [
    sealed_word && secrets.open(sealed_word, sealedPlace('thing', 'sealed_word', account_id, part)),
    sealed_other && secrets.open(sealed_other, sealedPlace('thing', 'sealed_other', account_id, part)),
  ]);

test('rotation seals everything anew, in all accounts, and a second run does nothing', async () => {
  await parkline('add-key', 'old');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const secrets = createSecrets(file);
  const seal = (word: string, column: `sealed_${string}`, ...key: string[]) =>
    secrets.seal(word, sealedPlace('thing', column, ...key));
  for (const account of accounts)
    for (let i = 0; i < 230; i++) {
      const part = `${i} ${newId()}`;
      await put(
        account,
        part,
        seal(`word ${i}`, 'sealed_word', account, part),
        i > 0 ? null : seal('o', 'sealed_other', account, part),
      );
    }
  const before = await words();
  expect(before.filter((word) => word !== null)).toHaveLength(462);

  await parkline('add-key', 'new');
  expect(await words()).toEqual(before);
  // Cut short by a secret that does not open: what was done stays done, and the rest goes on when it is put right.
  const [broken] = (await rows()).slice(-1);
  await db.query(`update thing set sealed_word = 'sealed:v1:gone:' || repeat('A', 40) where part = $1`, [
    broken!.part,
  ]);
  await expect(parkline('rotate')).rejects.toThrow(/key gone/);
  expect(JSON.parse(await parkline('keys', '--json'))).toEqual([
    { id: 'new', secrets: expect.any(Number), current: true, missing: false },
    { id: 'old', secrets: expect.any(Number), current: false, missing: false },
    { id: 'gone', secrets: 1, current: false, missing: true },
  ]);
  expect(process.exitCode).toBe(1);
  process.exitCode = 0;
  await db.query(`update thing set sealed_word = $2 where part = $1`, [broken!.part, broken!.sealed_word]);

  const { rotated } = JSON.parse(await parkline('rotate', '--json'));
  expect(rotated).toBeGreaterThan(0);
  expect(rotated).toBeLessThan(462);
  expect(await words()).toEqual(before);
  const ids = (await rows()).flatMap(({ sealed_word, sealed_other }) => [sealed_word, sealed_other]);
  expect(new Set(ids.filter((text) => text !== null).map(keyIdOf))).toEqual(new Set(['new']));
  expect(JSON.parse(await parkline('rotate', '--json'))).toEqual({ rotated: 0 });

  // The old key has served: without it everything still opens.
  const [current = ''] = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, `${current}\n`);
  expect(await words()).toEqual(before);
  expect(await parkline('keys')).toBe('new  462 secrets, current\n');
});

test('a key of a name that is taken is not added', async () => {
  const before = await readFile(file, 'utf8');
  await expect(parkline('add-key', 'new')).rejects.toThrow(/alike/);
  await expect(parkline('add-key', 'No Name')).rejects.toThrow(/expected/);
  expect(await readFile(file, 'utf8')).toBe(before);
});

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { demoPeople, neighbours, withPasswords } from './people.ts';

const folder = await mkdtemp(join(tmpdir(), 'parkline-people-'));
afterAll(() => rm(folder, { recursive: true }));

test('passwords are made once; whom a later version adds gets one, and the others keep theirs', async () => {
  const file = join(folder, 'people.json');
  const [engineer, admin] = [demoPeople[0]!, demoPeople.at(-1)!];
  const before = await withPasswords(file, [engineer, admin]);
  expect(await withPasswords(file, [engineer, admin])).toEqual(before);
  const after = await withPasswords(file, demoPeople);
  expect(after.map(({ login }) => login)).toEqual(demoPeople.map(({ login }) => login));
  expect(after.filter(({ login }) => before.some((one) => one.login === login))).toEqual(before);
  expect(new Set(after.map(({ password }) => password)).size).toBe(demoPeople.length);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('what is planned for somebody is followed, whatever the file says', async () => {
  const file = join(folder, 'moved.json');
  await writeFile(file, JSON.stringify([{ ...demoPeople[2], areas: ['c'], password: 'kept as it was' }]));
  const [technician] = await withPasswords(file, [demoPeople[2]!]);
  expect(technician).toEqual({ ...demoPeople[2], password: 'kept as it was' });
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual([technician]);
});

test('logins of both parks are different people', () => {
  const logins = [...demoPeople, ...neighbours].map(({ login }) => login);
  expect(new Set(logins).size).toBe(logins.length);
});

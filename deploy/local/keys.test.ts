import { sign, verify } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { natsUser, readablePassword, signingKey } from './keys.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parkline-keys-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a signing key is made once, stays, and is closed to others', async () => {
  const file = join(folder, 'signing.pem');
  const key = await signingKey(file);
  expect(await signingKey(file)).toEqual(key);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = Buffer.from('text');
  expect(verify(null, text, key.publicPem, sign(null, text, await readFile(file, 'utf8')))).toBe(true);
});

test('a message server user keeps its key', async () => {
  const file = join(folder, 'nats.nk');
  const user = await natsUser(file);
  expect(user).toMatch(/^U[A-Z2-7]{55}$/);
  expect(await natsUser(file)).toBe(user);
});

test('passwords differ and can be read aloud', () => {
  const passwords = Array.from({ length: 50 }, readablePassword);
  expect(new Set(passwords).size).toBe(50);
  for (const password of passwords) expect(password).toMatch(/^[a-km-z2-9]{5}(-[a-km-z2-9]{5}){3}$/);
});

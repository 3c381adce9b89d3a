import { expect, test } from 'vitest';
import { createPasswords, type PasswordsDeps } from './password.ts';

const passwords = createPasswords();

test('a hash is a PHC string of its own salt and knows its password', async () => {
  const [one, two] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(one).not.toBe(two);
  expect(await passwords.verify('correct horse', one)).toBe(true);
  expect(await passwords.verify('correct horsf', one)).toBe(false);
});

test('a hash of another program verifies, and is called outdated', async () => {
  // `printf password | argon2 somesalt -id -t 2 -m 16 -p 1` of the reference implementation.
  const foreign = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  expect(await passwords.verify('password', foreign)).toBe(true);
  expect(passwords.isOutdated(foreign)).toBe(true);
  expect(passwords.isOutdated(await passwords.hash('x'))).toBe(false);
});

test('a login that does not exist costs the same work as a wrong password', async () => {
  const work: object[] = [];
  const watched = createPasswords({
    derive: ((kind, options) => {
      const { memory, passes, parallelism, tagLength } = options;
      work.push({ kind, memory, passes, parallelism, tagLength });
      return Promise.resolve(Buffer.alloc(tagLength));
    }) as PasswordsDeps['derive'] & {},
  });
  const hash = await passwords.hash('right');
  expect(await watched.verify('wrong', hash)).toBe(false);
  expect(await watched.verify('wrong', null)).toBe(false);
  expect(work).toHaveLength(2);
  expect(work[1]).toEqual(work[0]);
});

test('many at once are all served, a few at a time', async () => {
  const two = createPasswords({ atOnce: 2 });
  const hashes = await Promise.all(Array.from({ length: 7 }, (_, i) => two.hash(`p${i}`)));
  expect(await Promise.all(hashes.map((hash, i) => two.verify(`p${i}`, hash)))).toEqual(Array(7).fill(true));
});

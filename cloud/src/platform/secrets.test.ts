import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AppError } from './errors.ts';
import { createSecrets, keyIdOf, newKeyLine, parseKeys, sealedPlace } from './secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'parkline-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));
const keyFile = (name: string, ...lines: string[]): string => {
  const file = join(folder, name);
  writeFileSync(file, `# made for a test\n${lines.join('\n')}\n`);
  return file;
};
const [first, second] = [newKeyLine('2026-10'), newKeyLine('2026-11')];
const place = sealedPlace('equipment_secret', 'sealed_value', 'e1', 'password');
const refusal = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error instanceof AppError ? [error.code, error.details, error.message] : error;
  }
};
const refused = (why: string, ...words: string[]) => [
  'unavailable',
  { why },
  expect.stringMatching(new RegExp(words.join('.*'))),
];

describe('a sealed secret', () => {
  const secrets = createSecrets(keyFile('keys', second, first));

  test.each(['s3cret', '', '密码 with 🔑', 'x'.repeat(100_000)])(
    'opens to what was sealed: %.12s',
    (plain) => {
      expect(secrets.open(secrets.seal(plain, place), place)).toBe(plain);
    },
  );

  test('names its key, hides its text, and is never twice the same', () => {
    const sealed = secrets.seal('s3cret', place);
    expect(keyIdOf(sealed)).toBe('2026-11');
    expect(Buffer.from(sealed.split(':')[3]!, 'base64url').toString('latin1')).not.toContain('s3cret');
    expect(secrets.seal('s3cret', place)).not.toBe(sealed);
  });

  test('does not open elsewhere, nor with a single bit changed, nor cut short', () => {
    const sealed = secrets.seal('s3cret', place);
    const elsewhere = sealedPlace('equipment_secret', 'sealed_value', 'e2', 'password');
    expect(refusal(() => secrets.open(sealed, elsewhere))).toEqual(refused('broken_secret', elsewhere));
    const data = Buffer.from(sealed.split(':')[3]!, 'base64url');
    for (let bit = 0; bit < data.length * 8; bit++) {
      const changed = Buffer.from(data);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const text = `sealed:v1:2026-11:${changed.toString('base64url')}`;
      expect(refusal(() => secrets.open(text, place))).toEqual(refused('broken_secret'));
    }
    expect(refusal(() => secrets.open(sealed.slice(0, -4), place))).toEqual(refused('broken_secret'));
    expect(refusal(() => secrets.open('s3cret', place))).toEqual(refused('broken_secret', 'no sealed text'));
  });

  test('of another key under the same name is not mistaken for ours', () => {
    const other = createSecrets(keyFile('other', newKeyLine('2026-11')));
    expect(refusal(() => secrets.open(other.seal('x', place), place))).toEqual(refused('broken_secret'));
  });
});

describe('the key file', () => {
  test('may grow while the process runs: a text with a key that came later opens', () => {
    const file = keyFile('growing', first);
    const running = createSecrets(file);
    const before = running.seal('before', place);
    keyFile('growing', second, first);
    const after = createSecrets(file).seal('after', place);
    expect(keyIdOf(after)).toBe('2026-11');
    expect(running.open(after, place)).toBe('after');
    expect([running.isCurrent(after), running.isCurrent(before)]).toEqual([true, false]);
    expect(running.open(before, place)).toBe('before');
  });

  test('without the key of a text says which one is missing', () => {
    const sealed = createSecrets(keyFile('old', first)).seal('x', place);
    const secrets = createSecrets(keyFile('lost', second));
    expect(refusal(() => secrets.open(sealed, place))).toEqual(
      refused('unknown_secret_key', '2026-10', 'lost'),
    );
  });

  test('is needed: without one sealing says what to set', () => {
    expect(refusal(() => createSecrets(undefined).seal('x', place))).toEqual(
      refused('no_secret_keys', 'SECRETS_KEY_FILE'),
    );
    const missing = join(folder, 'missing');
    expect(refusal(() => createSecrets(missing).seal('x', place))).toEqual(
      refused('no_secret_keys', 'missing cannot be read'),
    );
  });

  test.each([
    ['no key', '# nothing', 'no_secret_keys'],
    ['a short key', 'k1 c2hvcnQ=', 'bad_secret_keys'],
    ['a key without a name', second.split(' ')[1]!, 'bad_secret_keys'],
    ['two keys of one name', `${newKeyLine('k')}\n${newKeyLine('k')}`, 'bad_secret_keys'],
  ])('with %s is refused without telling what is in it', (_what, text, why) => {
    const said = refusal(() => parseKeys(text, 'keys')) as unknown[];
    expect(said.slice(0, 2)).toEqual(['unavailable', { why }]);
    expect(said[2]).not.toContain('c2hvcnQ');
  });
});

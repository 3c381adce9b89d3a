import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createUser } from '@nats-io/nkeys';
import { describe, expect, test } from 'vitest';
import { judge, type Waiver } from './advisories.ts';
import { billOfMaterials } from './bom.ts';
import { isAllowed, licenceFaults } from './licences.ts';
import { type LockEntry, lockedPackages, lockFaults, pinFaults } from './lock.ts';
import { findSecrets } from './secrets.ts';

const integrity = `sha512-${createHash('sha512').update('x').digest('base64')}`;
const whole = { version: '1.0.0', integrity, license: 'MIT' };
const lock = (path: string, entry: LockEntry) => ({
  lockfileVersion: 3,
  packages: {
    ...{ '': {}, edge: {}, 'node_modules/@parkline/edge': { resolved: 'edge', link: true } },
    [path]: entry,
  },
});

describe('the lock file', () => {
  test('is taken when every package can be checked and names no place', () => {
    expect(lockFaults(lock('node_modules/a/node_modules/@b/c', whole), {})).toEqual([]);
  });

  test.each<[string, LockEntry, RegExp]>([
    ['without a hash', { version: '1.0.0' }, /integrity/],
    ['with a weak hash', { ...whole, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, /integrity/],
    ['from a foreign host', { ...whole, resolved: 'https://packages.example/a.tgz' }, /packages\.example/],
    ['from git', { ...whole, resolved: 'git+ssh://git@host.example/a.git#1' }, /git\+ssh/],
    ['from a file', { ...whole, resolved: 'file:../a.tgz' }, /file:/],
    ['inside another', { ...whole, inBundle: true }, /inside another/],
    ['under another name', { ...whole, name: 'b' }, /another name/],
    ['with a script nobody decided on', { ...whole, hasInstallScript: true }, /install script/],
    ['linked to somewhere else', { link: true, resolved: '../elsewhere' }, /no workspace/],
  ])('is refused with a package %s', (_what, entry, why) => {
    expect(lockFaults(lock('node_modules/a', entry), {})).toEqual([expect.stringMatching(why)]);
  });

  test('lets a script be forbidden or allowed by name, and forgets no name that is needless', () => {
    const scripted = lock('node_modules/a', { ...whole, hasInstallScript: true });
    expect(lockFaults(scripted, { a: false })).toEqual([]);
    expect(lockFaults(scripted, { a: true })).toEqual([]);
    expect(lockFaults(scripted, { a: true, b: true })).toEqual([expect.stringContaining('b has no install')]);
  });

  test.each([
    '^1.0.0',
    '1.x',
    '*',
    'latest',
    '1.0',
    'npm:other@1.0.0',
    'git://host.example/a',
    'file:../a',
    '',
  ])('needs one version of each dependency, not %j', (wanted) => {
    expect(pinFaults('package.json', { devDependencies: { a: wanted, b: '1.2.3-beta.4' } })).toHaveLength(1);
  });
});

describe('licences', () => {
  const allowed = new Set(['MIT', 'ISC']);
  test.each([
    ['MIT', true],
    ['MIT AND ISC', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['MIT AND (GPL-3.0-only OR ISC)', true],
    ['MIT AND GPL-3.0-only', false],
    ['GPL-3.0-only', false],
    ['MIT WITH x', false],
    ['(MIT', false],
    ['MIT ISC', false],
    ['', false],
    ['SEE LICENSE IN LICENSE', false],
  ])('%j: %s', (expression, verdict) => {
    expect(isAllowed(expression, allowed)).toBe(verdict);
  });

  test('are excepted by package, licence and version, with a reason, and no longer than needed', () => {
    const packages = lockedPackages(lock('node_modules/a', { version: '1.0.0', license: 'GPL-3.0-only' }));
    const exception = { package: 'a*', licence: 'GPL-3.0-only', version: '1.0.0', reason: 'Not shipped.' };
    const faults = (...exceptions: object[]) =>
      licenceFaults(packages, { allowed: ['MIT'], exceptions: exceptions as (typeof exception)[] });
    expect(faults(exception)).toEqual([]);
    expect(faults()).toEqual([expect.stringContaining('GPL-3.0-only is not on the list')]);
    expect(faults({ ...exception, version: '1.0.1' })).toHaveLength(2);
    expect(faults({ ...exception, licence: null })).toHaveLength(2);
    expect(faults({ ...exception, reason: ' ' })).toEqual([expect.stringContaining('gives no reason')]);
    expect(faults(exception, { ...exception, package: 'b' })).toEqual([
      expect.stringContaining('nothing needs'),
    ]);
  });
});

describe('known weaknesses', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  const url = 'https://advisories.example/GHSA-aaaa-bbbb-cccc';
  const report = (severity: string) => ({
    auditReportVersion: 2,
    vulnerabilities: { a: { via: [{ name: 'a', title: 'bad', url, severity }, 'b'] }, b: { via: ['a'] } },
  });
  const waiver: Waiver = {
    ...{ advisory: 'GHSA-aaaa-bbbb-cccc', package: 'a' },
    ...{ reason: 'Never called.', until: '2026-11-23' },
  };

  test.each(['high', 'critical'])('that are %s need a waiver that still runs', (severity) => {
    expect(judge(report(severity), [], now)).toMatchObject({
      kind: 'bad',
      faults: [expect.stringContaining(url)],
    });
    expect(judge(report(severity), [waiver], now)).toMatchObject({
      kind: 'clean',
      waived: [expect.any(String)],
    });
  });

  test.each([
    ['ended', { until: '2026-11-22' }],
    ['runs for years', { until: '2030-01-01' }],
    ['names no day', { until: 'soon' }],
    ['gives no reason', { reason: '' }],
    ['is of another package', { package: 'c' }],
  ])('are not borne by a waiver that %s', (_what, change) => {
    expect(judge(report('high'), [{ ...waiver, ...change }], now).kind).toBe('bad');
  });

  test('that are small pass, and a waiver of nothing does not', () => {
    expect(judge(report('moderate'), [], now)).toEqual({ kind: 'clean', faults: [], waived: [] });
    expect(judge(report('moderate'), [waiver], now).kind).toBe('bad');
  });

  test('are unknown, not absent, where the registry could not be asked', () => {
    expect(judge({ message: '405' }, [], now)).toEqual({ kind: 'unasked', why: '405' });
    expect(judge({}, [], now).kind).toBe('unasked');
  });
});

test('a bill of materials names each part once, in order, with its hash, and has the same bytes again', () => {
  const part = { version: '1.0.0', licence: 'MIT', integrity };
  const parts = [
    { ...part, name: 'b' },
    { ...part, name: '@a/c', licence: 'MIT OR ISC' },
    { ...part, name: 'b' },
  ];
  const text = billOfMaterials('p', '1.4.0', parts);
  expect(billOfMaterials('p', '1.4.0', parts.toReversed())).toBe(text);
  expect(billOfMaterials('p', '1.4.1', parts)).not.toBe(text);
  const document = JSON.parse(text) as { serialNumber: string; components: unknown[] };
  expect(document.serialNumber).toMatch(
    /^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  );
  expect(document.components).toMatchObject([
    { purl: 'pkg:npm/%40a/c@1.0.0', licenses: [{ expression: 'MIT OR ISC' }] },
    { purl: 'pkg:npm/b@1.0.0', hashes: [{ content: createHash('sha512').update('x').digest('hex') }] },
  ]);
});

describe('a secret in a file', () => {
  const seed = new TextDecoder().decode(createUser().getSeed());
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const part = (text: string) => Buffer.from(text.padEnd(24, '.')).toString('base64url');
  const word = (length: number) => randomBytes(length).toString('hex').slice(0, length);
  test.each([
    ['a private key', pem],
    ['a seed', `seed: ${seed}`],
    ['a JWT', `${part('{"alg":"x"')}.${part('{"sub":"x"')}.${word(60)}`],
    ['an API key', `curl -H 'authorization: Bearer pk_${word(32)}_${word(43)}'`],
    ['a sealed secret', `'sealed:v1:first:${word(80)}'`],
    ['a sealing key', `first ${randomBytes(32).toString('base64')}\n`],
    ['a token of a code host', `ghp_${word(36)}`],
    ['an access key of a cloud', `LTAI${word(20)}`],
    ['a password of a database', `postgres://app:${word(12)}@db.internal:5432/parkline`],
  ])('is found: %s', async (_what, text) => {
    const [found] = await findSecrets('a.md', `nothing\n${text}`);
    expect(found).toMatchObject({ file: 'a.md', line: 2 });
    expect(JSON.stringify(found)).not.toContain(text.slice(-12));
  });

  test.each([
    `S${'U'.repeat(57)}`, // Looks like a seed; its checksum does not hold.
    'postgres://app:secret@db.example:5432/parkline',
    'postgres://me:hidden@127.0.0.1:1/park',
    '-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----',
    integrity,
  ])('is not seen in %j', async (text) => {
    expect(await findSecrets('a.md', text)).toEqual([]);
  });
});

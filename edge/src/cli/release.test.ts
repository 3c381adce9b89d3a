import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { scratchFolder } from '../update/scratch.ts';
import { openSlots } from '../update/slots.ts';
import { nouns, runCli } from './main.ts';

let folder: ReturnType<typeof scratchFolder>;
beforeEach(() => {
  folder = scratchFolder();
  const bundle = join(folder.path, 'bundle');
  mkdirSync(join(bundle, 'lib'), { recursive: true });
  writeFileSync(join(bundle, 'lib/main.js'), 'console.log(1);');
  writeFileSync(join(bundle, 'launcher.js'), '// starts it');
  writeFileSync(join(bundle, 'package.json'), '{"version":"1.4.0"}');
});
afterEach(() => {
  process.exitCode = undefined;
  folder[Symbol.dispose]();
});

async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const told = { out: '', err: '' };
  process.exitCode = undefined;
  const code = await runCli(argv, {
    out: (text) => void (told.out += text),
    err: (text) => void (told.err += text),
    env: { SOURCE_DATE_EPOCH: '1000' },
    cwd: folder.path,
  });
  return { code, ...told };
}
const platform = `${process.platform}-${process.arch}`;
const signed = (out: string, ...more: string[]) =>
  cli(
    'release',
    'sign',
    'bundle',
    '--key',
    'key/release.key.pem',
    '--out',
    out,
    '--platforms',
    platform,
    ...more,
  );

test('a release is signed, checked and installed; the private key is for its owner only', async () => {
  expect((await cli('release', 'keygen', 'key')).code).toBe(0);
  expect(statSync(join(folder.path, 'key/release.key.pem')).mode & 0o777).toBe(0o600);
  expect((await cli('release', 'keygen', 'key')).code).toBe(2);

  expect(await signed('a.release')).toMatchObject({
    code: 0,
    out: expect.stringContaining('1.4.0') as string,
  });
  await signed('b.release');
  const [a, b] = ['a', 'b'].map((name) => readFileSync(join(folder.path, `${name}.release`)));
  expect(a!.equals(b!)).toBe(true);
  const checked = await cli('release', 'verify', 'a.release', '--key', 'key/release.pub.pem', '--json');
  expect(JSON.parse(checked.out)).toMatchObject({
    version: '1.4.0',
    platforms: [platform],
    madeAt: 1_000_000,
  });

  mkdirSync(join(folder.path, 'home'));
  const install = () =>
    cli('release', 'install', 'a.release', '--key', 'key/release.pub.pem', '--home', 'home');
  expect(await install()).toMatchObject({ code: 0, out: '1.4.0\n' });
  expect(openSlots(join(folder.path, 'home/program')).state()).toMatchObject({
    current: 'a',
    version: '1.4.0',
  });
  expect(readFileSync(join(folder.path, 'home/keys/release.pub.pem'), 'utf8')).toContain('PUBLIC KEY');
  expect(await install()).toMatchObject({ code: 1, err: expect.stringContaining('already') as string });
});

test('a file that was changed, another key, and a wrong version are refused', async () => {
  await cli('release', 'keygen', 'key');
  await cli('release', 'keygen', 'other');
  await signed('a.release');
  const bytes = readFileSync(join(folder.path, 'a.release'));
  const verify = () => cli('release', 'verify', 'a.release', '--key', 'key/release.pub.pem');
  for (const at of [30, 200, bytes.length - 1]) {
    const spoilt = Buffer.from(bytes);
    spoilt[at] = spoilt[at]! ^ 1;
    writeFileSync(join(folder.path, 'a.release'), spoilt);
    expect((await verify()).code, String(at)).toBe(1);
  }
  writeFileSync(join(folder.path, 'a.release'), bytes.subarray(0, -1));
  expect((await verify()).code).toBe(1);
  writeFileSync(join(folder.path, 'a.release'), bytes);
  expect((await verify()).code).toBe(0);
  expect((await cli('release', 'verify', 'a.release', '--key', 'other/release.pub.pem')).code).toBe(1);
  expect((await signed('c.release', '--release-version', 'latest')).code).toBe(2);
});

test('the command of a bundle has every noun of a gateway', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../bin/parkline.js'), 'utf8');
  const edge = [...text.matchAll(/^ {2}(\w+): (?:'edge'|\['edge')/gm)].map(([, noun]) => noun);
  expect(edge.length).toBeGreaterThan(10);
  expect(Object.keys(nouns).toSorted()).toEqual(edge.toSorted());
});

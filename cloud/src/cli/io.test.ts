import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assertReadable, databaseUrl, readArgument, readBytes, terminalLanguage } from './io.ts';
import { whoAndWhere } from './session.ts';

test.each([
  [{}, 'en'],
  [{ LANG: 'C.UTF-8' }, 'en'],
  [{ LANG: 'zh_CN.UTF-8' }, 'zh-CN'],
  [{ LANG: 'en_GB.UTF-8', LC_MESSAGES: 'zh_CN.UTF-8' }, 'zh-CN'],
  [{ LANG: 'zh_CN.UTF-8', LC_ALL: 'C' }, 'en'],
  [{ LANG: 'zh_CN.UTF-8', LC_ALL: '' }, 'zh-CN'],
])('a terminal with %j reads %s', (env, language) => expect(terminalLanguage({ env })).toBe(language));

test.each([
  ['gone.csv', 'there is no file gone.csv'],
  ['io.test.ts/gone.csv', 'there is no file io.test.ts/gone.csv'],
  ['.', '. is a folder and no file'],
])('a file that cannot be read is told in words: %s', (path, words) => {
  const io = { cwd: import.meta.dirname };
  for (const read of [readBytes, readArgument]) expect(() => read(io, path)).toThrow(words);
});

test('a file that is read later is looked for at once', () => {
  const io = { cwd: import.meta.dirname };
  expect(() => assertReadable(io, 'gone.csv')).toThrow(/^there is no file gone.csv$/);
  expect(() => assertReadable(io, 'io.test.ts')).not.toThrow();
});

test('where no park runs the advice names the folder that was looked in, and how to name another', () => {
  const io = { out: () => undefined, err: () => undefined, env: {}, cwd: import.meta.dirname };
  const words = `no park runs here (${join(io.cwd, '.parkline/run.json')}): start one with npm start, name the folder of one that runs in PARKLINE_HOME, or set `;
  expect(() => databaseUrl(io)).toThrow(`${words}DATABASE_URL`);
  expect(() => whoAndWhere(io, { role: 'installer' })).toThrow(`${words}PARKLINE_URL`);
});

test('without a terminal, and with nothing piped in, a password is asked for in words', () => {
  const prompt = JSON.stringify(join(import.meta.dirname, 'prompt.ts'));
  const script = `import { readPassword } from ${prompt}; await readPassword({}, 'ada').catch(({ message }) => console.log(message));`;
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    ...{ stdio: [...stdio], encoding: 'utf8' },
  });
  expect(stdout).toBe('no password of ada was given: type it at a terminal, or set PARKLINE_PASSWORD\n');
});

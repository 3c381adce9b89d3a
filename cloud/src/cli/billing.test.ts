import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const golden = join(root, 'tests/fixtures/billing-2026-10');
const folders: string[] = [];

afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** Runs the real command in a process of its own. */
function parkline(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/parkline.js'), ...args], {
    encoding: 'utf8',
    cwd: root,
    env: { ...process.env, LANG: 'C', LC_ALL: '', ...env },
  });
  return { status, stdout, stderr };
}

function folderWith(files: Record<string, string | Buffer>, base?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-billing-'));
  folders.push(folder);
  if (base)
    for (const name of ['scenario.json', 'readings.csv.gz'])
      copyFileSync(join(base, name), join(folder, name));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

describe('parkline billing simulate', () => {
  test('prints exactly the result as JSON', () => {
    const { status, stdout, stderr } = parkline(['billing', 'simulate', golden, '--json']);
    expect([status, stderr]).toEqual([0, '']);
    const printed = JSON.parse(stdout) as { statements: Record<string, Record<string, string>> };
    expect(Object.keys(printed)).toEqual(['supply', 'statements']);
    expect(printed.statements['C']).toEqual({
      direct_kwh: '5808.40',
      direct: '4538.14',
      common_lighting: '1705.16',
      elevators: '277.16',
      chiller: '5063.11',
      loss: '348.82',
      demand: '2223.54',
      power_factor: '-101.58',
      total: '14054.35',
      net: '12437.48',
      vat13: '1616.87',
    });
    expect(Object.keys(printed.statements['L']!).slice(-4)).toEqual(['rounding', 'total', 'net', 'vat13']);
  });

  test('--vee without --json is told instead of ignored', () => {
    const { status, stdout, stderr } = parkline([
      'billing',
      'simulate',
      'tests/fixtures/billing-2026-10',
      '--vee',
    ]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--vee goes with --json');
  });

  test('--multiplier bills as if the meter had another one, --vee lists what was not plainly measured', () => {
    const args = [
      'billing',
      'simulate',
      'tests/fixtures/billing-2026-10',
      '--json',
      '--vee',
      '--multiplier',
      '4-new=15',
    ];
    const { stdout } = parkline([...args, '--multiplier', '5=10.0']);
    const printed = JSON.parse(stdout) as {
      statements: Record<string, Record<string, string>>;
      vee: Record<string, unknown[]>;
    };
    expect(printed.statements['D']!['total']).toBe('7161.80');
    expect(printed.vee['unit-101']![0]).toEqual({
      start: '2026-10-14T16:00:00+08:00',
      kwh: '12.00',
      quality: 'E',
      rule: 'missing:like-day',
    });
  });

  test.each([
    [{ LANG: 'en_GB.UTF-8' }, 'Supply bill'],
    [{ LANG: 'zh_CN.UTF-8' }, '总表电费'],
    [{ LANG: 'zh_CN.UTF-8', LC_ALL: 'C' }, 'Supply bill'],
  ])('without --json it prints a table in the language of %j', (env, title) => {
    const { status, stdout } = parkline(['billing', 'simulate', golden], env);
    expect(status).toBe(0);
    expect(stdout).toContain(title);
    expect(stdout).toContain('41925.56');
  });

  test.each([
    ['no folder', ['billing', 'simulate']],
    ['an unknown option', ['billing', 'simulate', golden, '--fast']],
    ['a multiplier that is none', ['billing', 'simulate', golden, '--multiplier', '4-new']],
    ['a multiplier of zero', ['billing', 'simulate', golden, '--multiplier', '4-new=0']],
  ])('%s is wrong usage: exit code 2 and nothing on standard output', (_why, args) => {
    const { status, stdout, stderr } = parkline(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).not.toBe('');
  });
});

describe('bad input', () => {
  const scenario = readFileSync(join(golden, 'scenario.json'), 'utf8');

  function messages(files: Record<string, string | Buffer>, base: string | undefined = golden): string {
    const { status, stdout, stderr } = parkline(['billing', 'simulate', folderWith(files, base), '--json']);
    expect([status, stdout]).toEqual([1, '']);
    return stderr;
  }

  test('names file, row and field, all faults together', () => {
    const readings = gzipSync(
      'meter,ts,register\n1,2026-10-01T00:00:00+08:00,x\n99,2026-10-01T00:00:00+08:00,5\n',
    );
    expect(
      messages({ 'scenario.json': scenario.replace('"multiplier": 40,', ''), 'readings.csv.gz': readings }),
    ).toBe(
      [
        'scenario.json, installations[1].multiplier: is missing',
        'readings.csv.gz, row 2, register: is no number: x',
        'readings.csv.gz, row 3, meter: no meter 99 in the scenario',
        '',
      ].join('\n'),
    );
  });

  test('says so when a folder has neither file', () => {
    expect(messages({}, '')).toBe(
      'scenario.json: there is no such file\nreadings.csv.gz: there is no such file\n',
    );
  });

  test('tells text that is not JSON and bytes that are not gzip', () => {
    const stderr = messages({ 'scenario.json': '{ "site": ', 'readings.csv.gz': 'meter,ts,register' });
    expect(stderr).toMatch(
      /^scenario\.json: is not JSON: .*\nreadings\.csv\.gz: is not a gzip file that can be read: .*\n$/,
    );
  });

  test('tells a gzip file that was cut off', () => {
    const whole = readFileSync(join(golden, 'readings.csv.gz'));
    expect(messages({ 'readings.csv.gz': whole.subarray(0, whole.length / 2) })).toContain(
      'unexpected end of file',
    );
  });

  test('does not flood the screen', () => {
    const rows = Array.from({ length: 80 }, (_, index) => `99,2026-10-01T00:00:00+08:00,${index}`);
    const stderr = messages({ 'readings.csv.gz': gzipSync(['meter,ts,register', ...rows].join('\n')) });
    expect(stderr.trimEnd().split('\n')).toHaveLength(51);
    expect(stderr).toContain('... and 30 more');
  });
});

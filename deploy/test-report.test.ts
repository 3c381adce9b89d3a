import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { add, countTests, listed, nothing, outcomeOf, readCounts } from './test-report.ts';

const report = {
  success: false,
  testResults: [
    {
      name: '/repo/cloud/a.test.ts',
      status: 'failed',
      assertionResults: [
        { fullName: 'adds', status: 'passed' },
        {
          fullName: 'numbers divides',
          status: 'failed',
          failureMessages: ['\u001b[31mAssertionError\u001b[39m: expected 1 to be 2\n    at a.test.ts:3:1'],
        },
        { fullName: 'attacks', status: 'skipped' },
        { fullName: 'later', status: 'todo' },
      ],
    },
    {
      name: '/repo/cloud/broken.test.ts',
      status: 'failed',
      message: 'Cannot find module x\n  at y',
      assertionResults: [],
    },
  ],
};
const failed = [
  'unit: cloud/a.test.ts: numbers divides: AssertionError: expected 1 to be 2',
  'unit: cloud/broken.test.ts: Cannot find module x',
];

test('each outcome is counted, a failure by its name and reason, and a file that does not load is one', () => {
  expect(countTests('unit', report, '/repo')).toEqual({
    passed: 1,
    failed,
    skipped: ['cloud/a.test.ts: attacks', 'cloud/a.test.ts: later'],
  });
});

test('suites add up', () => {
  const one = countTests('unit', report, '/repo');
  expect(outcomeOf(add(add(nothing, one), one))).toBe('2 passed, 4 failed, 4 skipped');
});

test('a suite that failed is never without a failure', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'unit.json');
  const read = (ok: boolean) => readCounts('unit', file, '/repo', { ok });
  expect((await read(false)).failed).toEqual(['unit: it ended without a report, see its output']);
  writeFileSync(file, JSON.stringify({ success: false, testResults: [] }));
  expect((await read(false)).failed).toEqual(['unit: something failed outside of its tests, see its output']);
  expect(await read(true)).toEqual(nothing);
  writeFileSync(file, JSON.stringify(report));
  expect((await read(false)).failed).toEqual(failed);
});

test('what failed is listed one line each, and nothing where nothing did', () => {
  expect(listed('FAILED', failed)).toBe(`\nFAILED:\n  ${failed[0]}\n  ${failed[1]}\n`);
  expect(listed('FAILED', [])).toBe('');
});

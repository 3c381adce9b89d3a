import { expect, test } from 'vitest';
import { add, countTests, nothing } from './test-report.ts';

const report = {
  success: false,
  testResults: [
    {
      name: '/repo/cloud/a.test.ts',
      status: 'failed',
      assertionResults: [
        { fullName: 'adds', status: 'passed' },
        { fullName: 'divides', status: 'failed' },
        { fullName: 'attacks', status: 'skipped' },
        { fullName: 'later', status: 'todo' },
      ],
    },
    { name: '/repo/cloud/broken.test.ts', status: 'failed', assertionResults: [] },
  ],
};

test('each outcome is counted, and a file that does not load is a failure', () => {
  expect(countTests(report, '/repo')).toEqual({
    passed: 1,
    failed: 2,
    skipped: ['cloud/a.test.ts: attacks', 'cloud/a.test.ts: later'],
  });
});

test('suites add up', () => {
  const one = countTests(report, '/repo');
  expect(add(add(nothing, one), one)).toMatchObject({ passed: 2, failed: 4 });
});

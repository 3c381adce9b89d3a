// Closes a CI run: reads what the test runner and the check runner wrote, and judges the skipped tests.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, '../node_modules/.cache');

/** A runner that broke before it could report counts as one failure. */
const read = (file, otherwise) =>
  existsSync(join(cache, file)) ? JSON.parse(readFileSync(join(cache, file), 'utf8')) : otherwise;

const tests = read('parkline-test/summary.json', {
  passed: 0,
  failed: ['npm test: it ended without a summary'],
  skipped: [],
});
const checks = read('parkline-check.json', { passed: 0, failed: ['check'], failedTests: [] });
const expected = readFileSync(join(here, 'expected-skips'), 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'));
const surprises = tests.skipped.filter((test) => !expected.some((prefix) => test.startsWith(prefix)));

for (const test of tests.failed) process.stdout.write(`test failed: ${test}\n`);
for (const test of checks.failedTests) process.stdout.write(`test of the check failed: ${test}\n`);
for (const name of checks.failed) process.stdout.write(`check failed: ${name}\n`);
for (const test of surprises)
  process.stdout.write(`skipped, and not on the list .ci/expected-skips: ${test}\n`);

const passed = tests.passed + checks.passed;
const failed = tests.failed.length + checks.failed.length;
process.exitCode = failed > 0 || surprises.length > 0 ? 1 : 0;
process.stdout.write(`${passed} passed, ${failed} failed, ${tests.skipped.length} skipped\n`);

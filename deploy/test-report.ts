import { readFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import type { TaskResult } from './task.ts';

/** What vitest's json reporter writes, as far as it is used. */
export interface VitestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    /** Why the file could not be loaded; empty where it could. */
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** The counts of one or more suites. */
export interface Counts {
  readonly passed: number;
  /** `suite: file: name: why` of every test that failed, and of every file and suite that could not be run. */
  readonly failed: readonly string[];
  /** `file: name` of every test that did not run. */
  readonly skipped: readonly string[];
}

export const nothing: Counts = { passed: 0, failed: [], skipped: [] };

/** Makes vitest write the report `file` besides what it shows. */
export const reportTo = (file: string): readonly string[] => [
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${file}`,
];

/** @param suite Its name. A suite that broke outside of its tests, or before it could report, counts as one failure. */
export async function readCounts(
  suite: string,
  file: string,
  root: string,
  { ok }: Pick<TaskResult, 'ok'>,
): Promise<Counts> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const counts = text === undefined ? nothing : countTests(suite, JSON.parse(text) as VitestReport, root);
  if (ok || counts.failed.length > 0) return counts;
  const why = text === undefined ? 'it ended without a report' : 'something failed outside of its tests';
  return add(counts, { ...nothing, failed: [`${suite}: ${why}, see its output`] });
}

/** Counts a report. A file that could not even be loaded counts as one failure. */
export function countTests(suite: string, report: VitestReport, root: string): Counts {
  let counts = nothing;
  for (const { name, status, message, assertionResults } of report.testResults) {
    const file = name.startsWith(root) ? name.slice(root.length + 1) : name;
    const failed = assertionResults
      .filter((test) => test.status === 'failed')
      .map(
        ({ fullName, failureMessages }) =>
          `${suite}: ${file}: ${fullName}: ${firstLine(failureMessages?.[0])}`,
      );
    if (status === 'failed' && failed.length === 0) failed.push(`${suite}: ${file}: ${firstLine(message)}`);
    const skipped = assertionResults
      .filter((test) => test.status !== 'passed' && test.status !== 'failed')
      .map(({ fullName }) => `${file}: ${fullName}`);
    const passed = assertionResults.filter((test) => test.status === 'passed').length;
    counts = add(counts, { passed, failed, skipped });
  }
  return counts;
}

const firstLine = (text = ''): string =>
  stripVTControlCharacters(text).trim().split('\n', 1)[0] || 'without a message';

export const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: [...a.failed, ...b.failed],
  skipped: [...a.skipped, ...b.skipped],
});

/** `12 passed, 1 failed, 0 skipped`. */
export const outcomeOf = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;

/** A list under a heading, one line each; empty where there is nothing to list. */
export const listed = (heading: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `\n${heading}:\n${lines.map((line) => `  ${line}\n`).join('')}`;

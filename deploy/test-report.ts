/** What vitest's json reporter writes, as far as it is used. */
export interface VitestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** The counts of one or more suites. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** `file: name` of every test that did not run. */
  readonly skipped: readonly string[];
}

export const nothing: Counts = { passed: 0, failed: 0, skipped: [] };

/** Counts a report. A file that could not even be loaded counts as one failure. */
export function countTests(report: VitestReport, root: string): Counts {
  let counts = nothing;
  for (const { name, status, assertionResults } of report.testResults) {
    const file = name.startsWith(root) ? name.slice(root.length + 1) : name;
    const of = (wanted: string): number => assertionResults.filter((test) => test.status === wanted).length;
    const unread = status === 'failed' && of('failed') === 0 ? 1 : 0;
    const skipped = assertionResults
      .filter((test) => test.status !== 'passed' && test.status !== 'failed')
      .map(({ fullName }) => `${file}: ${fullName}`);
    counts = add(counts, { passed: of('passed'), failed: of('failed') + unread, skipped });
  }
  return counts;
}

export const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: [...a.skipped, ...b.skipped],
});

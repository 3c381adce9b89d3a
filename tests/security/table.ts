import type { Reporter, TestModule } from 'vitest/node';
import { type Attempt, succeeded } from './attempts.ts';

type Row = Attempt & { readonly area: string };

/** Prints what was tried and what came of it, one line each, after the last test. */
export default class AttemptTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows: Row[] = [];
    for (const module of modules)
      for (const test of module.children.allTests()) {
        const { attempts } = test.meta();
        for (const one of attempts?.list ?? []) rows.push({ ...one, area: attempts?.area ?? '' });
      }
    rows.sort((a, b) => (a.area < b.area ? -1 : a.area > b.area ? 1 : 0));
    process.stdout.write(
      `\n${tableOf(rows)}\n${rows.length} attempts, ${rows.filter(succeeded).length} succeeded\n`,
    );
    if (rows.length === 0) process.exitCode = 1;
  }
}

function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(
    (row) => [row.area, row.attack, row.seen, succeeded(row) ? 'SUCCEEDED' : 'refused'] as const,
  );
  const all = [['area', 'attempt', 'seen', 'result'] as const, ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all
    .map((line) => line.map((cell, i) => (i < 3 ? cell.padEnd(widths[i] ?? 0) : cell)).join('  '))
    .join('\n');
}

// `npm test [-- SUITE...]`: every test of the repository, cheapest first, and one table at the end.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPortal } from './local/portal.ts';
import { endOnSignals, row, runTask, type TaskResult } from './task.ts';
import { add, type Counts, listed, nothing, outcomeOf, readCounts, reportTo } from './test-report.ts';

const root = join(import.meta.dirname, '..');
const reports = join(root, 'node_modules/.cache/parkline-test');
/** Node keeps here what it compiled: tests start hundreds of processes of the same code. */
const compiled = join(root, 'node_modules/.cache/parkline-node');
const vitest = join(root, 'node_modules/vitest/vitest.mjs');

interface Suite {
  readonly name: string;
  /** Projects of vitest.config.ts; none where the folder has a configuration of its own. */
  readonly projects: readonly string[];
  readonly cwd: string;
  /** Files at once; two where none is named. More where much of the time is waiting for something to be late. */
  readonly workers?: number;
  /** Whether it serves the built portal. */
  readonly portal?: boolean;
}

const suites: readonly Suite[] = [
  { name: 'unit', projects: ['unit'], cwd: root, workers: 4 },
  { name: 'portal', projects: [], cwd: join(root, 'dashboards') },
  { name: 'integration', projects: ['int', 'int-native'], cwd: root, workers: 3 },
  { name: 'e2e', projects: ['e2e'], cwd: root, workers: 3, portal: true },
  { name: 'browser', projects: ['browser'], cwd: root, portal: true },
];

interface Outcome {
  readonly name: string;
  readonly counts: Counts;
  readonly result: TaskResult;
}

async function runSuite({ name, projects, cwd, workers, portal }: Suite): Promise<Outcome> {
  process.stdout.write(`\n== ${name}\n`);
  if (portal) await buildPortal(root);
  const report = join(reports, `${name}.json`);
  const only = projects.flatMap((project) => ['--project', project]);
  const output = [
    ...reportTo(report),
    '--passWithNoTests',
    ...(workers === undefined ? [] : [`--maxWorkers=${workers}`]),
  ];
  const args = [vitest, 'run', ...only, ...output];
  const result = await runTask({ name, args, cwd, env: { NODE_COMPILE_CACHE: compiled } }, true);
  return { name, result, counts: await readCounts(name, report, root, result) };
}

function printSummary(outcomes: readonly Outcome[], total: Counts): void {
  const ms = outcomes.reduce((sum, { result }) => sum + result.ms, 0);
  const rows = outcomes.map(({ name, counts, result }) => row(name, outcomeOf(counts), result.ms));
  process.stdout.write(`\n${rows.join('')}${row('all', outcomeOf(total), ms)}`);
  process.stdout.write(listed('NOT RUN (the reason is in the name or in the notices above)', total.skipped));
  process.stdout.write(listed('FAILED', total.failed));
}

function wanted(names: readonly string[]): readonly Suite[] {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const known = suites.map(({ name }) => name).join(', ');
    process.stderr.write(`there is no suite ${unknown.join(', ')}; there are ${known}\n`);
    process.exit(2);
  }
  return names.length > 0 ? suites.filter(({ name }) => names.includes(name)) : suites;
}

endOnSignals();
const chosen = wanted(process.argv.slice(2));
await rm(reports, { recursive: true, force: true });
await mkdir(reports, { recursive: true });
const outcomes: Outcome[] = [];
for (const suite of chosen) outcomes.push(await runSuite(suite));
const total = outcomes.reduce((sum, { counts }) => add(sum, counts), nothing);
printSummary(outcomes, total);
await writeFile(join(reports, 'summary.json'), `${JSON.stringify(total, null, 2)}\n`);
process.exitCode = total.failed.length > 0 ? 1 : 0;

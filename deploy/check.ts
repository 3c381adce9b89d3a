// `npm run check [-- --changed] [CHECK...]`: everything that can be said about the sources without services. Each check
// keeps a cache below node_modules/.cache, so that only what changed is looked at again; with --changed only the unit
// tests that import something not yet committed are run.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endOnSignals, row, runTask, type Task, type TaskResult } from './task.ts';
import { listed, readCounts, reportTo } from './test-report.ts';

const root = join(import.meta.dirname, '..');
const dashboards = join(root, 'dashboards');
const cache = join(root, 'node_modules/.cache');
const tool = (path: string): string => join(root, 'node_modules', path);

/** Two run at a time, the longest first. */
const readings: readonly Task[] = [
  {
    name: 'lint',
    cwd: root,
    args: [
      tool('eslint/bin/eslint.js'),
      '.',
      '--cache',
      '--cache-strategy',
      'content',
      '--cache-location',
      join(cache, 'eslint/'),
    ],
  },
  { name: 'types', cwd: root, args: [tool('typescript/bin/tsc'), '--project', 'tsconfig.json'] },
  { name: 'svelte', cwd: dashboards, args: [tool('svelte-check/bin/svelte-check'), '--fail-on-warnings'] },
  {
    name: 'format',
    cwd: root,
    args: [
      tool('prettier/bin/prettier.cjs'),
      '--check',
      '.',
      '--log-level',
      'warn',
      '--cache',
      '--cache-location',
      join(cache, 'prettier-files'),
    ],
  },
  { name: 'imports', cwd: root, args: ['deploy/scripts/check-imports.mjs'] },
  { name: 'supply', cwd: root, args: ['deploy/scripts/check-supply.ts'] },
  { name: 'secrets', cwd: root, args: ['deploy/scripts/check-secrets.ts'] },
];

const changedOnly = process.argv.includes('--changed') ? ['--changed', '--passWithNoTests'] : [];

const reportOf = (name: string): string => join(cache, `parkline-check-${name}.json`);

/** One after the other and alone: they use both cores themselves, and some of them watch the clock. */
const tests: readonly Task[] = [
  { name: 'unit', cwd: root, project: ['--project', 'unit'] },
  { name: 'portal', cwd: dashboards, project: [] },
].map(({ name, cwd, project }) => ({
  name,
  cwd,
  args: [tool('vitest/vitest.mjs'), 'run', ...project, ...changedOnly, ...reportTo(reportOf(name))],
}));

interface Done {
  readonly task: Task;
  readonly result: TaskResult;
}

async function runAll(tasks: readonly Task[], atOnce: number): Promise<Done[]> {
  const queue = [...tasks];
  const done: Done[] = [];
  const worker = async (): Promise<void> => {
    for (let task = queue.shift(); task; task = queue.shift()) {
      const result = await runTask(task, false);
      done.push({ task, result });
      if (!result.ok) process.stdout.write(`\n== ${task.name}\n${result.output}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return done;
}

/** `check: file: name: why` of each test that failed in one of these. */
async function failuresOf(ran: readonly Done[]): Promise<string[]> {
  const counts = await Promise.all(
    ran.map(({ task: { name }, result }) => readCounts(name, reportOf(name), root, result)),
  );
  return counts.flatMap(({ failed }) => failed);
}

/** Svelte's own types are written by Kit, and its checker needs them. */
async function syncKit(): Promise<void> {
  const task = {
    name: 'svelte-kit sync',
    cwd: dashboards,
    args: [tool('@sveltejs/kit/svelte-kit.js'), 'sync'],
  };
  const { ok, output } = await runTask(task, false);
  if (!ok) process.stdout.write(output);
}

endOnSignals();
const names = process.argv.slice(2).filter((name) => name !== '--changed');
const chosen = (tasks: readonly Task[]): readonly Task[] =>
  names.length > 0 ? tasks.filter(({ name }) => names.includes(name)) : tasks;
const began = Date.now();
await mkdir(cache, { recursive: true });
if (chosen(readings).some(({ name }) => name === 'svelte')) await syncKit();
for (const { name } of tests) await rm(reportOf(name), { force: true });
const read = await runAll(chosen(readings), 2);
const tested = await runAll(chosen(tests), 1);
const done = [...read, ...tested];
process.stdout.write('\n');
for (const { task, result } of done)
  process.stdout.write(row(task.name, result.ok ? 'ok' : 'FAILED', result.ms));
process.stdout.write(row('all', '', Date.now() - began));
const failed = done.filter(({ result }) => !result.ok).map(({ task }) => task.name);
const failedTests = await failuresOf(tested);
process.stdout.write(listed('FAILED', failedTests));
const summary = { passed: done.length - failed.length, failed, failedTests };
await writeFile(join(cache, 'parkline-check.json'), `${JSON.stringify(summary)}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;

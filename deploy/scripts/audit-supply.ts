// `npm run audit:supply`: no package with a known weakness that is high or critical, unless supply/waivers.json bears it for a
// while. Asks the registry. Exit 0 clean, 1 not clean, 3 nobody could be asked: that is no pass.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditReport, judge, type Waiver } from './supply/advisories.ts';

const root = join(import.meta.dirname, '../..');

/** Output that is no JSON comes from a broken npm or a proxy: nobody was asked. */
function ask(): AuditReport {
  const args = ['audit', '--json', '--package-lock-only', '--audit-level=none'];
  const { stdout, stderr, error } = spawnSync('npm', args, {
    ...{ cwd: root, encoding: 'utf8', timeout: 120_000, maxBuffer: 64 * 1024 * 1024 },
  });
  if (error) return { message: `npm could not be run: ${error.message}` };
  try {
    return JSON.parse(stdout) as AuditReport;
  } catch {
    return { message: stderr.trim().split('\n').at(-1) ?? 'npm said nothing' };
  }
}

const waivers = JSON.parse(
  readFileSync(join(root, 'deploy/scripts/supply/waivers.json'), 'utf8'),
) as Waiver[];
const verdict = judge(ask(), waivers, Date.now());
if (verdict.kind === 'unasked') {
  process.stderr.write(`NOT RUN: the registry could not be asked: ${verdict.why}\n`);
  process.stderr.write(
    'Nothing is known about weaknesses of dependencies. Run this where the registry answers.\n',
  );
  process.stdout.write('0 passed, 0 failed, 1 not run\n');
  process.exitCode = 3;
} else {
  for (const text of verdict.waived) process.stdout.write(`waived: ${text}\n`);
  for (const text of verdict.faults) process.stderr.write(`${text}\n`);
  const isClean = verdict.kind === 'clean';
  process.stdout.write(isClean ? '1 passed, 0 failed, 0 not run\n' : '0 passed, 1 failed, 0 not run\n');
  process.exitCode = isClean ? 0 : 1;
}

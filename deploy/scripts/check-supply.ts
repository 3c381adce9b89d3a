// What comes from outside: every package can be checked, comes from the registry, is pinned, runs no script that nobody
// allowed, and has a licence that was agreed to. Asks nobody; known weaknesses are `npm run audit:supply`.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LicencePolicy, licenceFaults } from './supply/licences.ts';
import { type Lock, lockedPackages, lockFaults, pinFaults } from './supply/lock.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));

const lock = read('package-lock.json') as Lock;
const top = read('package.json') as { workspaces: string[]; allowScripts?: Record<string, boolean> };
const policy = read('deploy/scripts/supply/licences.json') as LicencePolicy;
const packages = lockedPackages(lock);
const manifests = [
  'package.json',
  ...globSync(
    top.workspaces.map((one) => `${one}/package.json`),
    { cwd: root },
  ),
];

const faults = [
  ...lockFaults(lock, top.allowScripts ?? {}),
  ...manifests.flatMap((file) => pinFaults(file, read(file) as Record<string, unknown>)),
  ...licenceFaults(packages, policy),
];
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(
  faults.length > 0
    ? `${faults.length} faults in what comes from outside\n`
    : `${packages.length} packages hold\n`,
);
process.exitCode = faults.length > 0 ? 1 : 0;

// No file that git knows, and none that it is about to, may hold what looks like a secret. Exit 1 and one line for each.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, findSecrets } from './supply/secrets.ts';

const root = join(import.meta.dirname, '../..');
/** Longer files are data that were made by a program. */
const MAX_BYTES = 4 * 1024 * 1024;

const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  ...{ cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
});
const findings: Finding[] = [];
let read = 0;
for (const file of listed.split('\0')) {
  const found = file === '' ? undefined : statSync(join(root, file), { throwIfNoEntry: false });
  if (!found?.isFile() || found.size > MAX_BYTES) continue;
  const bytes = readFileSync(join(root, file));
  if (bytes.includes(0)) continue; // A picture, a font, a capture.
  read += 1;
  findings.push(...(await findSecrets(file, bytes.toString('utf8'))));
}
for (const { file, line, what } of findings) process.stderr.write(`${file}:${line}: looks like ${what}\n`);
process.stdout.write(findings.length > 0 ? `${findings.length} secrets\n` : `${read} files hold no secret\n`);
process.exitCode = findings.length > 0 ? 1 : 0;

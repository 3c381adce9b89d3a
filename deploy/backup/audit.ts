import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { BackupError } from './keys.ts';

const parkline = join(import.meta.dirname, '../../bin/parkline.js');

/** Lets `parkline audit verify` look at a database. @returns what it says. @throws BackupError when a chain is broken or cannot be read. */
export function verifyAudit(url: string): Promise<string> {
  const child = spawn(process.execPath, [parkline, 'audit', 'verify'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], DATABASE_URL: url },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(said);
      else reject(new BackupError(`the audit of the restored database does not hold:\n${said.trim()}`));
    });
  });
}

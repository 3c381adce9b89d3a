import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BackupError } from './keys.ts';

const debian = '/usr/lib/postgresql';

/** Path of one of PostgreSQL's programs: of the folder named, of PATH, or the newest of Debian's. @throws BackupError */
export function findProgram(name: string, folder: string | undefined, path: string): string {
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders =
    folder === undefined
      ? [...path.split(delimiter), ...versions.map((version) => join(debian, version, 'bin'))]
      : [folder];
  const found = folders.map((one) => join(one, name)).find((file) => existsSync(file));
  if (found) return found;
  throw new BackupError(
    folder === undefined
      ? `there is no ${name} here: install PostgreSQL's programs, or name their folder with --programs`
      : `there is no ${name} in ${folder}`,
  );
}

import { closeSync, openSync } from 'node:fs';

/**
 * Makes a file that only its owner can read, where there is none yet. SQLite gives its journals the rights of the database, and
 * a database that it makes itself can be read by everybody.
 * @throws Error of the file system.
 */
export function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
}

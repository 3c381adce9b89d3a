import { DatabaseSync } from 'node:sqlite';

/** Holds a name for this process. The kernel lets go of it when the process dies, whatever the way. */
export interface Lock {
  release(): void;
}

/** Takes the lock kept in `file`, or returns undefined when a living process holds it. SQLite brings the kernel lock. */
export function takeLock(file: string): Lock | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('begin exclusive');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined;
    throw error;
  }
}

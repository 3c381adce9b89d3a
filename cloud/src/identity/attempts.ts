import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { createTurns } from './turns.ts';

/** Failures of one person before the next has to wait, and the longest wait: 1 s, 2 s, 4 s, ... 15 min. */
const FREE_FAILURES = 5;
const LONGEST_LOCK_S = 900;

/** Makes guessing at one person's codes and passwords slow, in every session of that person together. */
export interface Attempts {
  /**
   * Runs `check`; one that answers false has failed and counts. Those of one person run one after another.
   * @throws AppError 'too_many_requests' without running it while the person is locked.
   */
  run(
    what: 'second_factor' | 'own_password',
    personId: string,
    check: () => Promise<boolean>,
  ): Promise<boolean>;
}

export function createAttempts({ db, now }: { readonly db: Db; readonly now: Now }): Attempts {
  const inTurn = createTurns();

  async function begin(key: Buffer): Promise<void> {
    const at = now();
    const { rows } = await sql<{ until: Date | null }>`
      select attempt_begin(${key}, ${at}, ${FREE_FAILURES}, make_interval(secs => ${LONGEST_LOCK_S})) as until`.execute(
      db,
    );
    const until = rows[0]?.until;
    if (!until) return;
    const retryAfterS = Math.max(1, Math.ceil((until.getTime() - at.getTime()) / 1_000));
    throw new AppError('too_many_requests', 'attempts of the person', { retryAfterS });
  }

  return {
    run: (what, personId, check) =>
      inTurn(`${what}:${personId}`, async () => {
        // A login is never empty, so its hash is none of these.
        const key = createHash('sha256').update(`\0${what}\0${personId}`).digest();
        await begin(key);
        const right = await check();
        if (right) await sql`select login_succeeded(${key})`.execute(db);
        return right;
      }),
  };
}

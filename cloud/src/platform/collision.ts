/** Transactions that wait for each other in a ring, or whose order cannot be told: PostgreSQL ends one, and says no fault of its own. */
const codes = new Set<unknown>(['40P01', '40001']);

/** What PostgreSQL says of the transaction that it ended. */
interface CollisionFacts {
  readonly code: '40P01' | '40001';
  /** Which processes waited for what; their statements stand in the server's own log. */
  readonly detail?: string;
  /** Where in the statement: the row, the trigger. */
  readonly where?: string;
  /** Ours, without its values. */
  statement?: string;
}

/** The database's error for a transaction that another one stood in the way of. */
export type Collision = Error & CollisionFacts & { firstTry?: CollisionFacts };

export const isCollision = (error: unknown): error is Collision =>
  error instanceof Error && codes.has((error as { code?: unknown }).code);

/**
 * Does `work`, a whole transaction, once more when another one stood in its way: by then that one goes on, and the second time it is
 * waited for. Nothing of the first time is left, as long as `work` does nothing outside of its transaction.
 * @throws Collision with the facts of both times, when it happens again.
 */
export async function oncePastOthers<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (first) {
    if (!isCollision(first)) throw first;
    return work().catch((again: unknown) => {
      if (isCollision(again)) again.firstTry = factsOf(first);
      throw again;
    });
  }
}

/** For the log; absent facts are left out. */
export const factsOf = ({ code, detail, where, statement }: Collision): CollisionFacts => ({
  code,
  ...(detail !== undefined && { detail }),
  ...(where !== undefined && { where }),
  ...(statement !== undefined && { statement }),
});

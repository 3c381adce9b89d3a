/** Learns how long a read a unit answers: some keep silent where they ought to refuse. Sizes are registers. */
export interface Reach {
  /** Registers of one read at most, as far as is known. */
  most(): number;
  /** A long read went unanswered: a short one tells whether the unit is there at all. */
  readonly isInDoubt: boolean;
  answered(size: number): void;
  /** @param isCuttable Several points lie in what was asked for. */
  silent(size: number, isCuttable: boolean): void;
}

/** A line may lose an answer to a long read and none to a short one by chance, but not again and again. */
const ENOUGH_EVIDENCE = 2;
/** A longer read is tried again after this. */
const FORGET_MS = 3_600_000;

/** @param now ms. @param limit Registers of one read that the configuration allows. */
export function createReach(limit: number, now: () => number): Reach {
  let most = limit;
  let learnedAt = 0;
  let doubted = Infinity; // The least size that went unanswered.
  let isThere = false; // It answered a shorter read since.
  let evidence = 0;

  const trustAgain = (): void => {
    doubted = Infinity;
    isThere = false;
    evidence = 0;
  };

  return {
    most() {
      if (most < limit && now() - learnedAt > FORGET_MS) {
        most = Math.min(limit, 2 * most);
        learnedAt = now();
      }
      return most;
    },
    get isInDoubt() {
      return doubted < Infinity;
    },
    answered(size) {
      if (size < doubted) isThere ||= doubted < Infinity;
      else trustAgain();
    },
    silent(size, isCuttable) {
      if (!isCuttable) return trustAgain(); // It is away.
      if (isThere) evidence += 1;
      isThere = false;
      doubted = Math.min(doubted, size);
      if (evidence < ENOUGH_EVIDENCE) return;
      most = Math.max(1, doubted >> 1);
      learnedAt = now();
      trustAgain();
    },
  };
}

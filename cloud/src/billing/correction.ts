/** What a corrected run owes one participant, or is owed, compared with the run already billed. */
export interface CorrectionNote {
  readonly participant: string;
  /** Cents; negative is owed to the participant. */
  readonly cents: bigint;
  readonly document: 'credit note' | 'debit note' | 'none';
}

interface Billed {
  readonly participant: string;
  readonly total: bigint;
}

/**
 * Difference notes of a new run over the same period. Both runs keep the supply total, so the notes add up to the
 * difference of the two supply bills: to zero when only the split was wrong. A participant missing in one run counts
 * as zero there.
 */
export function noteCorrections(before: readonly Billed[], after: readonly Billed[]): CorrectionNote[] {
  const names = [...new Set([...before, ...after].map(({ participant }) => participant))];
  const totalOf = (run: readonly Billed[], name: string): bigint =>
    run.find(({ participant }) => participant === name)?.total ?? 0n;
  return names.map((participant) => {
    const cents = totalOf(after, participant) - totalOf(before, participant);
    return {
      participant,
      cents,
      document: cents === 0n ? 'none' : cents < 0n ? 'credit note' : 'debit note',
    };
  });
}

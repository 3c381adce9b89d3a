/** Numbers are 32 bits wide and come round to 1 (OPC 10000-4 clause 7.10). */
const MAX = 0xffff_ffff;
/** Messages asked for again; more of them at once are a server that counts in a way of its own. */
const MOST_MISSING = 1_000;

/** Counts the messages of one subscription, so that none is lost without notice (OPC 10000-4 clause 5.14.1.1). */
export interface Sequence {
  /**
   * A message came, or came again. One that is `quiet` says that nothing changed, and bears the number of the next.
   * @returns 'anew' when the server began to count anew: it has forgotten the subscription it had.
   */
  take(number: number, isQuiet: boolean): 'anew' | 'on';
  /** Numbers that never came, ascending; 'too many' when there is no sense in asking for them. */
  missing(): readonly number[] | 'too many';
  /** Up to here nothing is missing; -1 before the first message. */
  complete(): number;
}

export function createSequence(): Sequence {
  let expected: number | undefined;
  let missing: number[] = [];
  let isTooMany = false;

  const after = (number: number): number => (number >= MAX ? 1 : number + 1);
  const before = (number: number): number => (number <= 1 ? MAX : number - 1);
  /** How far `number` is ahead of what is expected; half the circle and more is behind. */
  const ahead = (number: number): number => (number - (expected ?? number) + MAX) % MAX;

  function begin(number: number, isQuiet: boolean): void {
    expected = isQuiet ? number : after(number);
    missing = [];
    isTooMany = false;
  }

  function skipTo(number: number): void {
    if (ahead(number) > MOST_MISSING) isTooMany = true;
    else for (let next = expected!; next !== number; next = after(next)) missing.push(next);
    if (missing.length > MOST_MISSING) isTooMany = true;
    expected = number;
  }

  return {
    take(number, isQuiet) {
      if (expected === undefined) {
        begin(number, isQuiet);
        return 'on';
      }
      if (ahead(number) < MAX / 2) {
        skipTo(number);
        if (!isQuiet) expected = after(number);
        return 'on';
      }
      const isMissed = missing.includes(number);
      if (!isMissed && (isQuiet || number === 1)) {
        begin(number, isQuiet);
        return 'anew';
      }
      if (!isQuiet) missing = missing.filter((other) => other !== number);
      return 'on';
    },
    missing: () => (isTooMany ? 'too many' : missing),
    complete: () => (expected === undefined ? -1 : before(missing[0] ?? expected)),
  };
}

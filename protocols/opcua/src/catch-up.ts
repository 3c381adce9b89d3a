import type { Reading } from './value.ts';

/**
 * What a mended link brought of one node, put right: a server sends again what was not acknowledged, and that may come after
 * newer values. By source time, without what is not newer than `told`, the last one told before.
 * @param held In order of arrival.
 */
export function caughtUp(held: readonly Reading[], told: Reading | undefined): Reading[] {
  const timed = held.filter(({ sourceAt }) => sourceAt !== undefined);
  if (timed.length < held.length) return [...held]; // Without times nothing is known but the order of arrival.
  const sorted = timed.toSorted((a, b) => a.sourceAt! - b.sourceAt!);
  const fresh = sorted.filter((reading, index) => isNewer(reading, index === 0 ? told : sorted[index - 1]));
  const newest = held.at(-1);
  const last = fresh.filter((reading) => isNewer(reading, told));
  // A server whose clock was set back still has something to say.
  return last.length === 0 && newest && told && newest.value !== told.value ? [newest] : last;
}

/** Later, or of the same time and something else: a sensor may fail without a new time. */
const isNewer = (reading: Reading, than: Reading | undefined): boolean =>
  than?.sourceAt === undefined ||
  reading.sourceAt! > than.sourceAt ||
  (reading.sourceAt === than.sourceAt &&
    (reading.value !== than.value || reading.status.code !== than.status.code));

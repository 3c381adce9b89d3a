/** Places where the fault suite may kill the process, to prove that no step may be lost half-way. */
const names = [
  'after-poll',
  'before-commit',
  'after-commit',
  'after-publish',
  'before-journal',
  'after-journal',
  'after-write',
  'before-result',
] as const;
export type FailpointName = (typeof names)[number];

/** Called when the place is passed. */
export type Failpoint = (name: FailpointName) => void;

/**
 * Reads `name:crash@n` (die at the n-th pass). Without a spec every pass is free.
 * @throws Error when the spec cannot be read: a fault test that tests nothing must not pass.
 */
export function createFailpoint(spec: string | undefined, crash: () => void): Failpoint {
  if (!spec) return () => undefined;
  const match = /^([a-z-]+):crash@([1-9]\d*)$/.exec(spec);
  if (!names.some((name) => name === match?.[1])) throw new Error(`bad failpoint ${spec}: want name:crash@n`);
  let left = Number(match?.[2]);
  return (name) => {
    if (name !== match?.[1]) return;
    left -= 1;
    if (left === 0) crash();
  };
}

/** Dies as a power cut would: no handler runs, nothing is flushed. */
export const killSelf = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

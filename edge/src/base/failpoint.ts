/** Places where the fault suite may kill the process, to prove that no step may be lost half-way. */
export type FailpointName = 'after-poll' | 'before-commit' | 'after-commit' | 'after-publish';

/** Called when the place is passed. */
export type Failpoint = (name: FailpointName) => void;

/**
 * Reads `name:crash@n` (die at the n-th pass). Without a spec every pass is free.
 * @throws Error when the spec cannot be read: a fault test that tests nothing must not pass.
 */
export function createFailpoint(spec: string | undefined, crash: () => void): Failpoint {
  if (!spec) return () => undefined;
  const match = /^(after-poll|before-commit|after-commit|after-publish):crash@([1-9]\d*)$/.exec(spec);
  if (!match) throw new Error(`bad failpoint ${spec}: want name:crash@n`);
  let left = Number(match[2]);
  return (name) => {
    if (name !== match[1]) return;
    left -= 1;
    if (left === 0) crash();
  };
}

/** Dies as a power cut would: no handler runs, nothing is flushed. */
export const killSelf = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

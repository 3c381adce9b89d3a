/** Places where the fault suite can kill a process. */
export const failpoints = ['before-commit', 'after-commit', 'before-ack', 'after-ack'] as const;
export type Failpoint = (typeof failpoints)[number];

/** Called at each place; returns unless the process is to die there. */
export type HitFailpoint = (name: Failpoint) => void;

/**
 * Reads `name:crash@n`: call `crash` at the n-th passage of `name`. Without a setting every passage is free.
 * @throws Error on a setting that names no failpoint, so that a test cannot pass by a typing mistake.
 */
export function createFailpoint(setting: string | undefined, crash: () => void): HitFailpoint {
  if (!setting) return () => undefined;
  const [, name, nth] = /^([a-z-]+):crash@(\d+)$/.exec(setting) ?? [];
  if (!failpoints.some((known) => known === name)) throw new Error(`no failpoint: ${setting}`);
  let left = Number(nth);
  return (here) => {
    if (here !== name) return;
    left -= 1;
    if (left === 0) crash();
  };
}

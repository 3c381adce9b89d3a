/** Called at each place; returns unless the process is to die there. */
export type Hit<Name extends string = string> = (name: Name) => void;

/**
 * Reads `name:crash@n`: call `crash` at the n-th passage of `name`. Without a setting every passage is free.
 * @throws Error on a setting that names none of `known`, so that a test cannot pass by a typing mistake.
 */
export function createFailpoints<Name extends string>(
  known: readonly Name[],
  setting: string | undefined,
  crash: () => void,
): Hit<Name> {
  if (!setting) return () => undefined;
  const [, name, nth] = /^([a-z-]+):crash@(\d+)$/.exec(setting) ?? [];
  if (!known.some((one) => one === name)) throw new Error(`no failpoint: ${setting}`);
  let left = Number(nth);
  return (here) => {
    if (here !== name) return;
    left -= 1;
    if (left === 0) crash();
  };
}

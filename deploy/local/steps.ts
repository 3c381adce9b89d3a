/** Prints what is being done and how long it took, one line per finished step. */
export interface Steps {
  /** Runs `work` as a step called `name`; what it returns beside `value` is shown behind the time. */
  step<T>(name: string, work: () => Promise<T>, detail?: (value: T) => string): Promise<T>;
  /** A line of its own. */
  readonly say: (text: string) => void;
  /** A line that belongs to a step. */
  readonly detail: (text: string) => void;
}

export function createSteps(write: (text: string) => void, now: () => number): Steps {
  return {
    async step(name, work, detail = () => '') {
      const began = now();
      const value = await work();
      const seconds = ((now() - began) / 1000).toFixed(1);
      write(`${`  ${name}`.padEnd(24)}${seconds.padStart(6)} s  ${detail(value)}`.trimEnd() + '\n');
      return value;
    },
    say: (text) => write(`${text}\n`),
    detail: (text) => write(`  ${text}\n`),
  };
}

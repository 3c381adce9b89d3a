/** Jobs of several meters, handed out in turn: a meter with many jobs waits after each for the others. */
export interface Turns<Job> {
  push(meter: string, job: Job): void;
  /** The next job; undefined when there is none. */
  take(): Job | undefined;
  remove(meter: string, job: Job): void;
  /** Takes all jobs of a meter out, or all there are. */
  drain(meter?: string): Job[];
}

export function createTurns<Job>(): Turns<Job> {
  const waiting = new Map<string, Job[]>(); // In order of turn.
  return {
    push(meter, job) {
      waiting.set(meter, [...(waiting.get(meter) ?? []), job]);
    },
    take() {
      for (const [meter, [job, ...rest]] of waiting) {
        waiting.delete(meter);
        if (rest.length > 0) waiting.set(meter, rest);
        return job;
      }
      return undefined;
    },
    remove(meter, job) {
      const rest = (waiting.get(meter) ?? []).filter((other) => other !== job);
      if (rest.length > 0) waiting.set(meter, rest);
      else waiting.delete(meter);
    },
    drain(meter) {
      const taken = meter === undefined ? [...waiting.values()].flat() : (waiting.get(meter) ?? []);
      if (meter === undefined) waiting.clear();
      else waiting.delete(meter);
      return taken;
    },
  };
}

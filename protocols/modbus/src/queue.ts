/** Jobs of several units, handed out in turn: a unit with many jobs waits after each for the others. */
export interface FairQueue<Job> {
  push(unit: number, job: Job): void;
  /** The next job and its unit; undefined when there is none. */
  take(): Job | undefined;
  /** Takes one job out. @returns false when it is not waiting. */
  remove(unit: number, job: Job): boolean;
  /** Takes all jobs of a unit out, or all there are. */
  drain(unit?: number): Job[];
}

export function createFairQueue<Job>(): FairQueue<Job> {
  const waiting = new Map<number, Job[]>(); // In order of turn.
  return {
    push(unit, job) {
      const jobs = waiting.get(unit);
      if (jobs) jobs.push(job);
      else waiting.set(unit, [job]);
    },
    take() {
      for (const [unit, jobs] of waiting) {
        const job = jobs.shift();
        waiting.delete(unit);
        if (jobs.length > 0) waiting.set(unit, jobs);
        return job;
      }
      return undefined;
    },
    remove(unit, job) {
      const jobs = waiting.get(unit);
      const at = jobs?.indexOf(job) ?? -1;
      if (!jobs || at < 0) return false;
      jobs.splice(at, 1);
      if (jobs.length === 0) waiting.delete(unit);
      return true;
    },
    drain(unit) {
      if (unit === undefined) {
        const all = [...waiting.values()].flat();
        waiting.clear();
        return all;
      }
      const jobs = waiting.get(unit) ?? [];
      waiting.delete(unit);
      return jobs;
    },
  };
}

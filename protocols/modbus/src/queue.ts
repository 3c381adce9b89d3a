/** Jobs of several units, handed out in turn: a unit with many jobs waits after each for the others. Urgent ones go ahead of all. */
export interface FairQueue<Job> {
  push(unit: number, job: Job, isUrgent?: boolean): void;
  /** The next job; undefined when there is none. */
  take(): Job | undefined;
  /** Takes one job out. @returns false when it is not waiting. */
  remove(unit: number, job: Job): boolean;
  /** Takes all jobs of a unit out, or all there are. Urgent ones of a unit stay. */
  drain(unit?: number): Job[];
  /** Takes the urgent jobs out that are meant. */
  drainUrgent(isMeant: (job: Job) => boolean): Job[];
}

export function createFairQueue<Job>(): FairQueue<Job> {
  const waiting = new Map<number, Job[]>(); // In order of turn.
  const urgent: Job[] = [];
  return {
    push(unit, job, isUrgent = false) {
      const jobs = isUrgent ? urgent : waiting.get(unit);
      if (jobs) jobs.push(job);
      else waiting.set(unit, [job]);
    },
    take() {
      if (urgent.length > 0) return urgent.shift();
      for (const [unit, jobs] of waiting) {
        const job = jobs.shift();
        waiting.delete(unit);
        if (jobs.length > 0) waiting.set(unit, jobs);
        return job;
      }
      return undefined;
    },
    remove(unit, job) {
      if (takeOut(urgent, job)) return true;
      const jobs = waiting.get(unit);
      if (!jobs || !takeOut(jobs, job)) return false;
      if (jobs.length === 0) waiting.delete(unit);
      return true;
    },
    drain(unit) {
      if (unit === undefined) {
        const all = [...urgent.splice(0), ...[...waiting.values()].flat()];
        waiting.clear();
        return all;
      }
      const jobs = waiting.get(unit) ?? [];
      waiting.delete(unit);
      return jobs;
    },
    drainUrgent(isMeant) {
      const taken = urgent.filter(isMeant);
      for (const job of taken) takeOut(urgent, job);
      return taken;
    },
  };
}

function takeOut<Job>(jobs: Job[], job: Job): boolean {
  const at = jobs.indexOf(job);
  if (at >= 0) jobs.splice(at, 1);
  return at >= 0;
}

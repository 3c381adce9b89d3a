import { Cron } from 'croner';
import type { Schedule } from './schema.ts';

/** How far back a schedule that was missed (the gateway was off) is still made up for, ms. */
export const MAKE_UP_MS = 86_400_000;

/** One schedule that comes due. */
export interface Due {
  readonly schedule: Schedule;
  /** Unix ms. */
  readonly at: number;
}

/** When schedules come due, by the clock of the site: 7:00 is 7:00 on the day of a clock change, too. */
export interface Timetable {
  /** The next moment after `after` at which anything is due, Unix ms; Infinity when nothing ever is. */
  next(after: number): number;
  /** What came due in (after, until], oldest first, each schedule at most once: its latest. */
  between(after: number, until: number): Due[];
}

/** @throws Error naming the schedule whose pattern is none. */
export function createTimetable(schedules: readonly Schedule[], timezone: string): Timetable {
  const lines = schedules.map((schedule) => ({ schedule, cron: cronOf(schedule, timezone) }));
  return {
    next: (after) =>
      lines.reduce(
        (least, { cron }) => Math.min(least, cron.nextRun(new Date(after))?.getTime() ?? Infinity),
        Infinity,
      ),
    between(after, until) {
      const due = lines.flatMap(({ schedule, cron }) => {
        // The end belongs to the span: ask for what lies before the millisecond after it.
        const at = cron.previousRuns(1, new Date(until + 1))[0]?.getTime();
        return at !== undefined && at > after ? [{ schedule, at }] : [];
      });
      return due.sort((a, b) => a.at - b.at);
    },
  };
}

function cronOf({ key, cron }: Schedule, timezone: string): Cron {
  try {
    return new Cron(cron, { timezone, paused: true, mode: '5-part' });
  } catch (cause) {
    throw new Error(`schedule ${key}: cron ${cron}: ${(cause as Error).message}`, { cause });
  }
}

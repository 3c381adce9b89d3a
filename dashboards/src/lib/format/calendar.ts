/** A day of a site's calendar, month 1-12. */
export interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export const periods = ['day', 'month', 'year'] as const;
/** How much history is shown at once. A day is cut into hours, a month into days, a year into months. */
export type Period = (typeof periods)[number];

const clocks = new Map<string, Intl.DateTimeFormat>();

/** The wall clock of `timezone` at an instant, as if it were UTC: the difference to the instant is the zone's offset. */
function wallClock(at: number, timezone: string): number {
  let clock = clocks.get(timezone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    clocks.set(timezone, clock);
  }
  const part = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(
    part['year']!,
    part['month']! - 1,
    part['day']!,
    part['hour']!,
    part['minute']!,
    part['second']!,
  );
}

/** The calendar day that it is at the site. */
export function dayAt(at: number, timezone: string): CalendarDay {
  const wall = new Date(wallClock(at, timezone));
  return { year: wall.getUTCFullYear(), month: wall.getUTCMonth() + 1, day: wall.getUTCDate() };
}

/** The instant a local day begins. Where midnight is skipped by summer time, the first instant after it. */
export function startOfDay({ year, month, day }: CalendarDay, timezone: string): number {
  const wanted = Date.UTC(year, month - 1, day);
  const offsetAt = (at: number) => wallClock(at, timezone) - at;
  const first = wanted - offsetAt(wanted);
  const second = wanted - offsetAt(first);
  return wallClock(second, timezone) < wanted ? first : second;
}

function firstOf(period: Period, { year, month, day }: CalendarDay): CalendarDay {
  if (period === 'day') return { year, month, day };
  return { year, month: period === 'month' ? month : 1, day: 1 };
}

/** The same period `by` steps later (earlier when negative), at its first day. */
export function shift(period: Period, at: CalendarDay, by: number): CalendarDay {
  const { year, month, day } = firstOf(period, at);
  const moved = new Date(
    Date.UTC(
      year + (period === 'year' ? by : 0),
      month - 1 + (period === 'month' ? by : 0),
      day + (period === 'day' ? by : 0),
    ),
  );
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() };
}

/** The instants a local day, month or year spans: `from` inclusive, `to` exclusive. */
export const spanOf = (period: Period, at: CalendarDay, timezone: string): { from: number; to: number } => ({
  from: startOfDay(firstOf(period, at), timezone),
  to: startOfDay(shift(period, at, 1), timezone),
});

/** The local hour under way and the 23 before it, as their starts; `to` is when the running hour ends. */
export function recentHours(now: number, timezone: string): { starts: number[]; to: number } {
  const hour = 3_600_000;
  const midnight = startOfDay(dayAt(now, timezone), timezone);
  const running = midnight + Math.floor((now - midnight) / hour) * hour;
  return {
    starts: Array.from({ length: 24 }, (_, index) => running - (23 - index) * hour),
    to: running + hour,
  };
}

/** Where the intervals of a period begin: the hours of a day, the days of a month, the months of a year. */
export function intervalsOf(period: Period, at: CalendarDay, timezone: string): number[] {
  const { from, to } = spanOf(period, at, timezone);
  const starts: number[] = [];
  if (period === 'day') {
    for (let start = from; start < to; start += 3_600_000) starts.push(start);
    return starts;
  }
  const step = period === 'month' ? 'day' : 'month';
  for (let day = firstOf(period, at), start = from; start < to; start = startOfDay(day, timezone)) {
    starts.push(start);
    day = shift(step, day, 1);
  }
  return starts;
}

/** `2026-11-22`, as it stands in the page's address. */
export const dayText = ({ year, month, day }: CalendarDay): string =>
  `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;

/** Reads what {@link dayText} wrote; undefined for anything that is not a real day. */
export function parseDay(text: string): CalendarDay | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return undefined;
  const day = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  return dayText(shift('day', day, 0)) === text ? day : undefined;
}

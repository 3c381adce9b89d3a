import { Temporal } from 'temporal-polyfill';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?$/;

/** Whether `text` is a calendar date that exists, as YYYY-MM-DD. */
export function isDate(text: string): boolean {
  return DATE.test(text) && parsed(() => Temporal.PlainDate.from(text)) !== undefined;
}

export function isTimeZone(text: string): boolean {
  return parsed(() => Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text)) !== undefined;
}

/** First instant of a local date (Unix ms); not always 00:00, some zones skip midnight. */
export function startOfDate(date: string, timezone: string): number {
  return Temporal.PlainDate.from(date).toZonedDateTime(timezone).epochMilliseconds;
}

export function addDays(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}

/**
 * Reads a date (its first instant), a local date-time, or one with Z or an offset, to Unix ms.
 * @returns undefined for other text, and for a local time that a clock change skips or repeats: it names no one instant.
 */
export function parseInstant(text: string, timezone: string): number | undefined {
  if (DATE.test(text)) return isDate(text) ? startOfDate(text, timezone) : undefined;
  const match = INSTANT.exec(text);
  if (!match) return undefined;
  if (match[1]) return parsed(() => Temporal.Instant.from(text).epochMilliseconds);
  return parsed(
    () =>
      Temporal.PlainDateTime.from(text).toZonedDateTime(timezone, { disambiguation: 'reject' })
        .epochMilliseconds,
  );
}

/** Local date, minute of the day and UTC offset (minutes) at an instant. */
export function localAt(
  ms: number,
  timezone: string,
): { date: string; minute: number; offsetMinutes: number } {
  const local = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timezone);
  return {
    date: local.toPlainDate().toString(),
    minute: local.hour * 60 + local.minute,
    offsetMinutes: local.offsetNanoseconds / 60e9,
  };
}

/** A local month up to an instant in it, and the same span of the month before (Unix ms). */
export interface MonthToDate {
  /** YYYY-MM. */
  readonly month: string;
  readonly start: number;
  /** First instant of the local day of `ms`. */
  readonly today: number;
  readonly lastStart: number;
  /** The same day and time a month ago; the end of that month where it is shorter. */
  readonly lastEnd: number;
}

export function monthOf(ms: number, timezone: string): MonthToDate {
  const local = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timezone);
  const first = local.toPlainDate().with({ day: 1 });
  const start = startOfDate(first.toString(), timezone);
  const isLonger = local.subtract({ months: 1 }).day < local.day;
  return {
    month: local.toPlainDate().toPlainYearMonth().toString(),
    start,
    today: startOfDate(local.toPlainDate().toString(), timezone),
    lastStart: startOfDate(first.subtract({ months: 1 }).toString(), timezone),
    lastEnd: isLonger ? start : local.subtract({ months: 1 }).epochMilliseconds,
  };
}

/** ISO day of the week, Monday 1 to Sunday 7. */
export function weekday(date: string): number {
  return Temporal.PlainDate.from(date).dayOfWeek;
}

/** 2026-10-14T16:00:00+08:00, the way a bill names an instant. */
export function formatLocal(ms: number, timezone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(ms)
    .toZonedDateTimeISO(timezone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' });
}

/** Temporal throws RangeError for whatever is not a date; here that is an answer, not a failure. */
function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

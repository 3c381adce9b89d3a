const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatter(
  language: string,
  timeZone: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = JSON.stringify([language, timeZone, options]);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, { timeZone, hourCycle: 'h23', ...options });
    formats.set(key, format);
  }
  return format;
}

/** What part of an instant is worth showing. */
export const timeShapes = {
  time: { hour: '2-digit', minute: '2-digit' },
  timeExact: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  dayOfMonth: { day: 'numeric' },
  day: { month: 'short', day: 'numeric' },
  dayLong: { year: 'numeric', month: 'short', day: 'numeric', weekday: 'short' },
  month: { month: 'short' },
  monthLong: { year: 'numeric', month: 'long' },
  year: { year: 'numeric' },
  dayTime: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' },
  full: {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;
export type TimeShape = keyof typeof timeShapes;

/** An instant on the site's own clock, whatever zone the reader's computer is in. */
export const formatTime = (at: number, shape: TimeShape, language: string, timezone: string): string =>
  formatter(language, timezone, timeShapes[shape]).format(at);

/** The zone's name for people, such as "GMT+8" or "中国标准时间". */
export function formatZone(at: number, language: string, timezone: string): string {
  const parts = formatter(language, timezone, { timeZoneName: 'short' }).formatToParts(at);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timezone;
}

/** An instant in full with its zone, for where nothing beside it says the zone. */
export const formatInstant = (at: number, language: string, timezone: string): string =>
  `${formatTime(at, 'full', language, timezone)} ${formatZone(at, language, timezone)}`;

/** A span in one unit, rounded down: 45 s, 3 min, 2 h, 5 d. Negative spans (a clock ahead) count as zero. */
export function formatSpan(ms: number, language: string): string {
  const span = Math.max(0, ms);
  const [size, unit] =
    span < minute
      ? [second, 'second' as const]
      : span < hour
        ? [minute, 'minute' as const]
        : span < 2 * day
          ? [hour, 'hour' as const]
          : [day, 'day' as const];
  const text = new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(
    Math.floor(span / size),
  );
  // Chinese comes without the space that every other number of the portal has before its word.
  return text.replace(/(\d)(?=\p{Script=Han})/u, '$1\u00a0');
}

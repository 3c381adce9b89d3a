import { formatAddress } from './address.ts';
import { createReader, Malformed, type PropertyValue, type Reader, tags } from './tags.ts';
import { shortestFloat32 } from './value.ts';

const ANY = 255;
const WEEK = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const two = (value: number): string => String(value).padStart(2, '0');

/**
 * A week in words: 'Mon-Fri 07:00 21, 19:00 16; Sat-Sun off'. `off`: the day names nothing. Property weekly-schedule, clause 12.24.
 * @throws Malformed.
 */
export function weekWords(encoded: Buffer): string {
  const reader = createReader(encoded);
  const days: string[] = [];
  while (!reader.isAtEnd && days.length < WEEK.length) days.push(dayWords(reader, 0));
  if (days.every((day) => day === '')) return 'nothing';
  const runs: string[] = [];
  for (let from = 0; from < days.length;) {
    let to = from;
    while (days[to + 1] === days[from]) to += 1;
    const name = to > from ? `${WEEK[from]}-${WEEK[to]}` : WEEK[from]!;
    runs.push(`${name} ${days[from] || 'off'}`);
    from = to + 1;
  }
  return runs.join('; ');
}

/** Exceptions in words: '2026-12-25: 00:00 16 (priority 1); calendar,3: 08:00 21 (priority 5)'. Property exception-schedule. @throws Malformed. */
export function exceptionWords(encoded: Buffer): string {
  const reader = createReader(encoded);
  const exceptions: string[] = [];
  while (!reader.isAtEnd) {
    const when = reader.isContext(1) ? formatAddress(reader.object(1)) : calendarEntry(reader);
    const what = dayWords(reader, 2);
    exceptions.push(`${when}: ${what || 'off'} (priority ${reader.unsigned(3)})`);
  }
  return exceptions.join('; ') || 'none';
}

/** A list of times with what is in force from each, between tags of a number. */
function dayWords(reader: Reader, number: number): string {
  const times: string[] = [];
  for (reader.open(number); !reader.isClosing(number);) {
    const at = reader.value();
    if (at.type !== tags.time) throw new Malformed('an entry of a schedule without a time');
    const [hour = ANY, minute = ANY] = at.value as Buffer;
    times.push(
      `${hour === ANY ? '*' : two(hour)}:${minute === ANY ? '*' : two(minute)} ${valueWords(reader.value())}`,
    );
  }
  reader.close(number);
  return times.join(', ');
}

function calendarEntry(reader: Reader): string {
  reader.open(0);
  const words = calendarWords(reader);
  reader.close(0);
  return words;
}

/** BACnetCalendarEntry: a date, a range of dates, or a week and day. */
function calendarWords(reader: Reader): string {
  if (reader.isContext(0)) return dateWords(reader.context(0));
  if (reader.isOpening(1)) {
    reader.open(1);
    const [from, to] = [reader.value(), reader.value()];
    reader.close(1);
    if (from.type !== tags.date || to.type !== tags.date) throw new Malformed('a range without dates');
    return `${dateWords(from.value as Buffer)} to ${dateWords(to.value as Buffer)}`;
  }
  const [month = ANY, week = ANY, day = ANY] = reader.context(2);
  const parts = [
    day === ANY ? 'every day' : `every ${WEEK[day - 1] ?? `day ${day}`}`,
    ...(week === ANY ? [] : [week === 6 ? 'of the last week' : `of week ${week}`]),
    ...(month === ANY ? [] : [`of month ${month}`]),
  ];
  return parts.join(' ');
}

function dateWords(octets: Buffer): string {
  const [year = ANY, month = ANY, day = ANY, weekday = ANY] = octets;
  const date = [
    year === ANY ? '*' : 1900 + year,
    month === ANY ? '*' : two(month),
    day === ANY ? '*' : two(day),
  ];
  const isOpen = [year, month, day].includes(ANY);
  return isOpen && weekday !== ANY ? `${date.join('-')} ${WEEK[weekday - 1] ?? weekday}` : date.join('-');
}

/** A value for a person. */
export function valueWords({ type, value }: PropertyValue): string {
  switch (type) {
    case tags.null:
      return 'default';
    case tags.real:
      return String(shortestFloat32(Number(value)));
    case tags.bits:
      return (value as readonly boolean[]).map(Number).join('');
    case tags.object:
      return formatAddress(value as { type: number; instance: number });
    case tags.octets:
    case tags.date:
    case tags.time:
      return (value as Buffer).toString('hex');
    default:
      return value === null ? '?' : String(value as number | string | boolean);
  }
}

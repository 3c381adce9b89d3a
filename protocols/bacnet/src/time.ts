import type { Octets } from './encode.ts';
import { Malformed, type Reader, tags } from './tags.ts';

/** A device's own date and time, as Unix ms as if its clock showed UTC. */
export type LocalMs = number;

const HUNDREDTH_MS = 10;
/** "Any", in each octet of a date or time. Clause 20.2.12. */
const ANY = 255;

/** @returns undefined where a part is left open. @throws Malformed for other lengths. */
export function localMsOf(date: Buffer, time: Buffer): LocalMs | undefined {
  if (date.length !== 4 || time.length !== 4) throw new Malformed('a date and a time have 4 octets each');
  const [year = ANY, month = ANY, day = ANY] = date;
  const [hour = ANY, minute = ANY, second = ANY, hundredths = ANY] = time;
  const isOpen = [year, month, day, hour, minute].includes(ANY) || month > 12 || day > 31 || hour > 23;
  if (isOpen) return undefined;
  const [s, h] = [second === ANY ? 0 : second, hundredths === ANY ? 0 : hundredths];
  return Date.UTC(1900 + year, month - 1, day, hour, minute, s, h * HUNDREDTH_MS);
}

/** Octets of a date, the day of the week from Monday as 1. */
export function dateOctets(local: LocalMs): Octets {
  const at = new Date(local);
  return [at.getUTCFullYear() - 1900, at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCDay() || 7];
}

export function timeOctets(local: LocalMs): Octets {
  const at = new Date(local);
  const hundredths = Math.floor(at.getUTCMilliseconds() / HUNDREDTH_MS);
  return [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), hundredths];
}

/** A date and a time, each an application value. @throws Malformed. */
export function dateTimeIn(reader: Reader): LocalMs | undefined {
  const [date, time] = [reader.value(), reader.value()];
  if (date.type !== tags.date || time.type !== tags.time) throw new Malformed('no date and time');
  return localMsOf(date.value as Buffer, time.value as Buffer);
}

/** BACnetTimeStamp, clause 21: undefined for a mere time of day or a sequence number. @throws Malformed. */
export function timestampIn(reader: Reader): LocalMs | undefined {
  if (!reader.isOpening(2)) {
    reader.skip();
    return undefined;
  }
  reader.open(2);
  const local = dateTimeIn(reader);
  reader.close(2);
  return local;
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone.length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

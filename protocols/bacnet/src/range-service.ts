import { type ObjectId, properties } from './address.ts';
import { services } from './datagram.ts';
import {
  application,
  applicationOctets,
  contextObject,
  contextUnsigned,
  enclosed,
  type Octets,
} from './encode.ts';
import { type ErrorPair, errorIn, isSame } from './read-property.ts';
import type { Station } from './station.ts';
import { createReader, Malformed, OTHER, type PropertyValue, type Reader, signedIn, tags } from './tags.ts';
import { dateOctets, dateTimeIn, type LocalMs, timeOctets } from './time.ts';

/** Which records of a log are wanted: the first after an instant, or from a sequence number on. */
export type RangeStart = { readonly after: LocalMs } | { readonly sequence: number };

/** A record of a trend log, BACnetLogRecord of clause 21. */
export interface LogRecord {
  /** Undefined where the device left parts of it open. */
  readonly local: LocalMs | undefined;
  /** `log` is a note of the log about itself: its status, or a change of its clock. */
  readonly datum: PropertyValue | { readonly failure: ErrorPair } | 'log';
  readonly statusFlags?: readonly boolean[];
}

export interface LogPage {
  readonly records: readonly LogRecord[];
  /** Sequence number of the first record. */
  readonly first: number | undefined;
  /** The last record of the log is among them. */
  readonly isLast: boolean;
}

/** Records of a trend log, oldest first. Clause 15.8. @param count At most so many. */
export const readLog = (
  station: Station,
  object: ObjectId,
  start: RangeStart,
  count: number,
): Promise<LogPage> =>
  station.request(
    services.readRange,
    [
      ...contextObject(0, object),
      ...contextUnsigned(1, properties['log-buffer']),
      ...rangeOctets(start, count),
    ],
    (ack) => pageIn(ack, object),
  );

function rangeOctets(start: RangeStart, count: number): Octets {
  const length = application(tags.signed, count);
  if ('sequence' in start) return enclosed(6, [...application(tags.unsigned, start.sequence), ...length]);
  return enclosed(7, [
    ...applicationOctets(tags.date, dateOctets(start.after)),
    ...applicationOctets(tags.time, timeOctets(start.after)),
    ...length,
  ]);
}

/** @throws Malformed. */
export function pageIn(ack: Buffer, object: ObjectId): LogPage {
  const reader = createReader(ack);
  const isAsked = isSame(reader.object(0), object) && reader.unsigned(1) === properties['log-buffer'];
  if (!isAsked) throw new Malformed('the answer is about another log');
  if (reader.isContext(2)) reader.unsigned(2);
  const [, isLast = false] = reader.bits(3);
  const count = reader.unsigned(4);
  const items = createReader(reader.enclosed(5));
  const records: LogRecord[] = [];
  while (!items.isAtEnd) records.push(recordIn(items));
  if (records.length !== count) throw new Malformed(`${records.length} records where ${count} are announced`);
  return { records, isLast, first: reader.isContext(6) ? reader.unsigned(6) : undefined };
}

function recordIn(reader: Reader): LogRecord {
  reader.open(0);
  const local = dateTimeIn(reader);
  reader.close(0);
  const datum = datumIn(createReader(reader.enclosed(1)));
  return { local, datum, ...(reader.isContext(2) ? { statusFlags: reader.bits(2) } : {}) };
}

/** The choices of log-datum, clause 21. */
function datumIn(reader: Reader): LogRecord['datum'] {
  if (reader.isContext(0) || reader.isContext(9)) return 'log';
  if (reader.isOpening(8)) return { failure: errorIn(reader.enclosed(8)) };
  if (reader.isOpening(10)) {
    const any = createReader(reader.enclosed(10));
    return any.isApplication ? any.value() : { type: OTHER, value: null };
  }
  if (reader.isContext(1)) return { type: tags.boolean, value: reader.boolean(1) };
  if (reader.isContext(2)) return { type: tags.real, value: realIn(reader.context(2)) };
  if (reader.isContext(3)) return { type: tags.enumerated, value: reader.unsigned(3) };
  if (reader.isContext(4)) return { type: tags.unsigned, value: reader.unsigned(4) };
  if (reader.isContext(5)) return { type: tags.signed, value: signedIn(reader.context(5)) };
  if (reader.isContext(6)) return { type: tags.bits, value: reader.bits(6) };
  if (reader.isContext(7)) return { type: tags.null, value: null };
  throw new Malformed('a record without a value');
}

function realIn(content: Buffer): number {
  if (content.length !== 4) throw new Malformed('a real has 4 octets');
  return content.readFloatBE();
}

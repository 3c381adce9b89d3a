import type { BacnetTrend } from '../tables/bacnet-table.ts';
import { errorApdu, errors, find, type ErrorPair } from './bacnet-answer.ts';
import * as encode from './bacnet-codec.ts';
import { properties, type SimObject, TREND_LOG } from './bacnet-objects.ts';
import { pdu, type Request } from './bacnet-wire.ts';

/** The log of an object, worked out from what it shows at each instant: nothing is stored. */
export interface Trend extends BacnetTrend {
  readonly source: SimObject;
  /** How far the device's clock is ahead of UTC, ms. */
  readonly aheadMs: number;
}

const HEAD_OCTETS = 40;
const LAST_SEQUENCE = 2 ** 32 - 1;

/** The first and last record at an instant; a record's number is its time in intervals since 1970. */
const rangeOf = ({ everyMs, keep }: Trend, t: number): readonly [first: number, last: number] => {
  const last = Math.floor(t / everyMs);
  return [last - keep + 1, last];
};

/** A trend log as an object, clause 12.25. */
export function createTrendObject(trend: Trend, key: string): SimObject {
  const { instance, keep, everyMs } = trend;
  const one = (octets: readonly number[]) => [octets];
  const values = new Map<number, readonly (readonly number[])[]>([
    [properties.objectIdentifier, one(encode.objectId(TREND_LOG, instance))],
    [properties.objectName, one(encode.characters(`${key}.TL-${instance}`))],
    [properties.objectType, one(encode.enumerated(TREND_LOG))],
    [properties.logEnable, one(encode.boolean(true))],
    [properties.stopWhenFull, one(encode.boolean(false))],
    [properties.bufferSize, one(encode.unsigned(keep))],
    [properties.recordCount, one(encode.unsigned(keep))],
    [properties.logInterval, one(encode.unsigned(Math.round(everyMs / 10)))],
    [properties.eventState, one(encode.enumerated(0))],
  ]);
  const ids = [...values.keys()];
  return { type: TREND_LOG, instance, propertyIds: ids, property: (id) => values.get(id), trend };
}

/** ReadRange, clause 15.8, by position, sequence number or time. @throws Malformed. */
export function answerRange(
  request: Request,
  objects: readonly SimObject[],
  t: number,
  maxApdu: number,
): readonly number[] {
  const reader = encode.createReader(request.data);
  const asked = reader.object(0);
  const property = reader.unsigned(1);
  const trend = find(objects, asked)?.trend;
  const refuse = (error: ErrorPair) => errorApdu(request, error);
  if (!trend) return refuse(errors.unknownObject);
  if (property !== properties.logBuffer) return refuse(errors.unknownProperty);
  const [first, last] = rangeOf(trend, t);
  const wanted = wantedOf(reader, trend, first, last);
  if (!wanted) return refuse(errors.parameterOutOfRange);
  const from = Math.max(first, wanted.from);
  const to = Math.min(last, wanted.to);
  const records: number[][] = [];
  let octets = HEAD_OCTETS;
  for (let n = from; n <= to; n += 1) {
    const record = recordOf(trend, n);
    octets += record.length;
    if (octets > maxApdu) break;
    records.push(record);
  }
  const end = from + records.length - 1;
  const flags = [records.length > 0 && from === first, records.length > 0 && end === last, end < to];
  return [
    ...[pdu.complexAck << 4, request.invokeId, request.service],
    ...encode.context(0, encode.objectOctets(TREND_LOG, asked.instance)),
    ...encode.context(1, encode.unsignedOctets(property)),
    ...encode.context(3, encode.bitOctets(flags)),
    ...encode.context(4, encode.unsignedOctets(records.length)),
    ...[encode.opening(5), ...records.flat(), encode.closing(5)],
    ...(records.length > 0 ? encode.context(6, encode.unsignedOctets(from % LAST_SEQUENCE)) : []),
  ];
}

/** Numbers of the records that are asked for. A count below zero reads towards the past. */
function wantedOf(
  reader: encode.Reader,
  { everyMs, aheadMs }: Trend,
  first: number,
  last: number,
): { from: number; to: number } | undefined {
  if (reader.isAtEnd) return { from: first, to: last };
  const choice = [3, 6, 7].find((number) => reader.hasOpening(number));
  if (choice === undefined) return undefined;
  reader.open(choice);
  const reference = reader.application();
  let start = reference.content.length <= 4 ? Number(`0x${reference.content.toString('hex') || '0'}`) : 0;
  const time = choice === 7 ? reader.application() : undefined;
  const { content } = reader.application();
  reader.close(choice);
  const count = content.length > 0 ? content.readIntBE(0, content.length) : 0;
  if (count === 0) return undefined;
  if (choice === 3) start = first + start - 1;
  if (time) {
    const [year = 0, month = 1, day = 1] = reference.content;
    const [hour = 0, minute = 0, second = 0, hundredths = 0] = time.content;
    const local = Date.UTC(1900 + year, month - 1, day, hour, minute, second, hundredths * 10);
    const exact = (local - aheadMs) / everyMs;
    // After the instant; towards the past before it.
    start = count > 0 ? Math.max(first, Math.floor(exact) + 1) : Math.min(last, Math.ceil(exact) - 1);
  }
  return count > 0 ? { from: start, to: start + count - 1 } : { from: start + count + 1, to: start };
}

function recordOf({ source, everyMs, aheadMs }: Trend, n: number): number[] {
  const t = n * everyMs;
  const { value, statusBits } = source.show!(t);
  const datum =
    value === null
      ? encode.context(7, [])
      : source.row!.analog
        ? encode.context(2, encode.realOctets(value))
        : encode.context(3, encode.unsignedOctets(value));
  return [
    ...[encode.opening(0), ...encode.date(t + aheadMs), ...encode.time(t + aheadMs), encode.closing(0)],
    ...[encode.opening(1), ...datum, encode.closing(1)],
    ...encode.context(2, encode.bitOctets(statusBits)),
  ];
}

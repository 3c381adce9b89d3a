import { DriverError, type PointRef, type Sample } from '@parkline/kit';
import { type ObjectId, objectNumbers, parseObject } from './address.ts';
import type { DeviceClock } from './device-clock.ts';
import type { Link } from './link.ts';
import { type LogPage, type LogRecord, type RangeStart, readLog } from './range-service.ts';
import { confirmIdentity } from './reader.ts';
import { errorWords, isTooLong, Refusal } from './refusal.ts';
import { flagsOf, verdictOf } from './value.ts';
import { tags } from './tags.ts';

export interface HistoryDeps {
  readonly link: Link;
  /** Of the device. */
  readonly instance: number;
  /** The zone of the device's clock. */
  readonly clock: (signal: AbortSignal) => Promise<DeviceClock>;
}

/** Octets of an answer besides its records, and of one record of a real with its flags. */
const HEAD_OCTETS = 40;
const RECORD_OCTETS = 24;
/** Times in records are whole hundredths of a second. */
const HUNDREDTH_MS = 10;
/** After this number comes 1 again, clause 12.25. */
const LAST_SEQUENCE = 2 ** 32 - 1;

/** What a trend log keeps of a point in [from, to), oldest first. @throws DriverError. */
export async function* readHistory(
  deps: HistoryDeps,
  ref: PointRef,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Sample[]> {
  const log = logOf(ref, deps.link.where);
  const clock = await deps.clock(signal);
  // The device gives what is newer than the instant: one hundredth earlier takes in `from` itself.
  let start: RangeStart = {
    after: Math.ceil(clock.toLocal(from) / HUNDREDTH_MS) * HUNDREDTH_MS - HUNDREDTH_MS,
  };
  const pages = createPageReader(deps, log);
  let latest = -Infinity;
  for (;;) {
    const page: LogPage = await pages.read(start, signal);
    const samples = page.records.flatMap((record) => {
      const found = sampleOf(record, ref, clock, latest);
      latest = found[0]?.at ?? latest;
      return found;
    });
    const wanted = samples.filter(({ at }) => at >= from && at < to);
    if (wanted.length > 0) yield wanted;
    const isPast = samples.some(({ at }) => at >= to);
    if (page.records.length === 0 || page.isLast || isPast) return;
    refuseCircle(start, page, deps.link.where);
    start = { sequence: next(page, deps.link.where) };
  }
}

/** A log that gives what was given already would be read for ever. */
function refuseCircle(start: RangeStart, { first }: LogPage, where: string): void {
  if ('after' in start || first === undefined) return;
  const ahead = (first - start.sequence + LAST_SEQUENCE) % LAST_SEQUENCE;
  if (ahead > LAST_SEQUENCE / 2)
    throw new DriverError('garbage', 'the trend log goes round in a circle', where);
}

function logOf({ history = '', pointId }: PointRef, where: string): ObjectId {
  if (history === '')
    throw new DriverError('config', `no history was declared for ${pointId}; name its trend log`, where);
  const object = parseObject(history);
  if (object.type === objectNumbers.trendLog) return object;
  throw new DriverError('config', `'${history}' is no trend log like trend-log,5`, where);
}

function next({ first, records }: LogPage, where: string): number {
  if (first === undefined)
    throw new DriverError('garbage', 'the trend log gives its records no sequence numbers', where);
  const following = first + records.length;
  return following > LAST_SEQUENCE ? following - LAST_SEQUENCE : following;
}

/** Asks for as many records as an answer holds; fewer where the device cannot put so many together. */
function createPageReader({ link, instance }: HistoryDeps, log: ObjectId) {
  let most = Infinity;
  return {
    async read(start: RangeStart, signal: AbortSignal): Promise<LogPage> {
      await link.find(signal); // The size of answers is the device's.
      for (;;) {
        const fitting = Math.floor((link.maxApdu - HEAD_OCTETS) / RECORD_OCTETS);
        const count = Math.max(1, Math.min(most, fitting));
        try {
          return await link.ask(async (station) => {
            await confirmIdentity(station, instance);
            return readLog(station, log, start, count);
          }, signal);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          const where = `${link.where} trend log ${log.instance}`;
          if (!isTooLong(error) || count === 1)
            throw new DriverError('refused', error.message, where, { cause: error });
          most = Math.ceil(count / 2);
        }
      }
    },
  };
}

/** @param latest Time of the record before, Unix ms. @returns one sample, or none for what the log notes about itself and for records without an instant. */
function sampleOf(
  { local, datum, statusFlags }: LogRecord,
  ref: PointRef,
  clock: DeviceClock,
  latest: number,
): Sample[] {
  if (local === undefined || datum === 'log') return [];
  const at = clock.toUtc(local, latest);
  const head = { pointId: ref.pointId, at, beganAt: at };
  if ('failure' in datum) {
    const why = errorWords(datum.failure.code, datum.failure.errorClass);
    return [{ ...head, value: null, quality: 'bad', why }];
  }
  const flags = statusFlags && flagsOf([{ type: tags.bits, value: statusFlags }]);
  return [{ ...head, ...verdictOf([datum], ref, flags) }];
}

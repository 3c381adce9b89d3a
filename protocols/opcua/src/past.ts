import { DriverError, type PointRef, type Sample } from '@parkline/kit';
import type { HistoryAsk, HistoryPage, Link } from './link.ts';
import { wordsOf } from './status.ts';
import { type Reading, sampleOf, severityOf } from './value.ts';

/** Values in one page: what a small controller still has memory for. */
const PAGE = 1_000;
/** Pages in a row without a value: more of them are a server that goes round in a circle. */
const MOST_EMPTY = 100;

export interface PastDeps {
  readonly link: Pick<Link, 'history' | 'forgetHistory'>;
  readonly ref: PointRef;
  /** The node that keeps the history. */
  readonly nodeId: string;
  readonly where: string;
  readonly answer: <T>(work: Promise<T>) => Promise<T>;
}

/** What a server says that keeps no history of a node: nothing changes that but a person. */
const hopeless =
  /^Bad(HistoryOperation(Unsupported|Invalid)|NodeId(Unknown|Invalid)|ServiceUnsupported|UserAccessDenied)/;

/** What some say of a time from which they kept nothing (OPC 10000-11 clause 6.4.3). */
const nothing = /^(Good|Bad)NoData/;

/**
 * What the server kept of a node in [from, to) Unix ms, oldest first, a page at a time.
 * @throws DriverError 'config' when it keeps none, 'refused' when it does not hand it out now.
 */
export async function* pastOf(
  { link, ref, nodeId, where, answer }: PastDeps,
  from: number,
  to: number,
): AsyncGenerator<readonly Sample[]> {
  let ask: HistoryAsk = { nodeId, from, to, most: PAGE };
  let empty = 0;
  try {
    for (;;) {
      const { status, readings, after }: HistoryPage = await answer(link.history(ask));
      ask = { nodeId, from, to, most: PAGE, ...(after && { after }) };
      if (nothing.test(status.name)) return;
      if (severityOf(status) === 'bad') throw refusal(status, nodeId, where);
      const samples = samplesOf(ref, readings, from, to);
      if (samples.length > 0) yield samples;
      if (!after) return;
      empty = samples.length > 0 ? 0 : empty + 1;
      if (empty >= MOST_EMPTY) throw new DriverError('garbage', `the history of ${nodeId} has no end`, where);
    }
  } finally {
    // Whoever stops early must not leave the server holding the rest: it may serve few at a time.
    if (ask.after) void link.forgetHistory(ask).catch(() => undefined);
  }
}

/** A value without a time belongs nowhere in the past. */
function samplesOf(ref: PointRef, readings: readonly Reading[], from: number, to: number): Sample[] {
  return readings
    .filter(({ sourceAt }) => sourceAt !== undefined && sourceAt >= from && sourceAt < to)
    .map((reading) => sampleOf(ref, reading, { beganAt: reading.sourceAt!, at: reading.sourceAt! }))
    .toSorted((a, b) => a.at - b.at);
}

const refusal = (status: HistoryPage['status'], nodeId: string, where: string): DriverError =>
  new DriverError(
    hopeless.test(status.name) ? 'config' : 'refused',
    `no history of ${nodeId}: ${wordsOf(status)}`,
    where,
  );

import { BackupError } from './keys.ts';
import { headOf, listWal, type Manifest, readSealedText, type Store, walFile, walName } from './store.ts';

const SEGMENT = /^[0-9A-F]{24}$/;
const HISTORY = /^([0-9A-F]{8})\.history$/;
/** A line of a timeline's history: the timeline it came from, and where that one was left. */
const LINE = /^\s*(\d+)\s+([0-9A-F]+)\/([0-9A-F]+)/;

/** Position in the log, bytes. @param lsn as `0/2000028`. */
export function positionOf(lsn: string): bigint {
  const [high = '', low = ''] = lsn.split('/');
  return BigInt(`0x${high}`) * 0x1_0000_0000n + BigInt(`0x${low}`);
}

/** Number of the segment that holds an address of the log. @param lsn as `0/2000028`. */
export const segmentOf = (lsn: string, segmentBytes: number): number =>
  Number(positionOf(lsn) / BigInt(segmentBytes));

/** A segment by what its name says. */
export interface Segment {
  readonly name: string;
  readonly timeline: number;
  /** Counts through from the beginning of the log, whatever the timeline. */
  readonly number: number;
}

export const isSegment = (name: string): boolean => SEGMENT.test(name);

/** @returns undefined for what is no whole segment: histories, notes of backups, parts. */
export function parseSegment(name: string, segmentBytes: number): Segment | undefined {
  if (!isSegment(name)) return undefined;
  const part = (at: number): number => parseInt(name.slice(at, at + 8), 16);
  return { name, timeline: part(0), number: part(8) * (0x1_0000_0000 / segmentBytes) + part(16) };
}

export function segmentName({ timeline, number }: Omit<Segment, 'name'>, segmentBytes: number): string {
  const perLog = 0x1_0000_0000 / segmentBytes;
  const parts = [timeline, Math.floor(number / perLog), number % perLog];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, '0')).join('');
}

/** Where a timeline came from. Each restore that takes writes begins one. */
interface History {
  readonly timeline: number;
  /** When it was begun, Unix ms. */
  readonly begunAt: number;
  /** The timelines before it, oldest first, and where each was left. */
  readonly left: readonly { readonly timeline: number; readonly at: bigint }[];
}

/** A part of the way, on one timeline: segments `from` to `to`, both included. The one in which it is left is in both. */
export interface Stretch {
  readonly timeline: number;
  readonly from: number;
  readonly to: number;
}

/** How replay goes on from a base backup to the end of a timeline. */
export interface Way {
  /** The last timeline of it. */
  readonly timeline: number;
  /** From when on the park was on that timeline, Unix ms. */
  readonly begunAt: number;
  /** Oldest first. */
  readonly stretches: readonly Stretch[];
}

/**
 * The ways that lead on from a base backup: along its own timeline, and along each that was begun behind its end; the newest last.
 * @throws BackupError when the log has a later timeline that does not say where it came from.
 */
export async function waysFrom(store: Store, base: Manifest): Promise<readonly Way[]> {
  const names = await listWal(store);
  const histories = await readHistories(store, names);
  for (const name of names) {
    const found = parseSegment(name, base.walSegmentBytes);
    if (found && found.timeline > base.timeline && !histories.has(found.timeline))
      throw new BackupError(
        `${historyName(found.timeline)} of the log is missing: without it nobody can tell where ${name} goes on from`,
      );
  }
  const own = { timeline: base.timeline, begunAt: base.endedAt, left: [] };
  const later = [...histories.values()].filter((history) => isBehind(history, base));
  return [own, ...later.sort((a, b) => a.timeline - b.timeline)].map((one) => wayAlong(one, base));
}

/** The way of the timeline that the park was on at a moment (Unix ms); undefined: the newest. */
export function wayAt(ways: readonly Way[], at: number | undefined): Way {
  const [own, ...later] = ways;
  return later.findLast(({ begunAt }) => at === undefined || begunAt <= at) ?? own!;
}

const historyName = (timeline: number): string =>
  `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;

async function readHistories(store: Store, names: readonly string[]): Promise<Map<number, History>> {
  const found = new Map<number, History>();
  for (const name of names) {
    const [, id] = HISTORY.exec(name) ?? [];
    if (id === undefined) continue;
    const timeline = parseInt(id, 16);
    const sealed = { file: walFile(store, name), name: walName(name) };
    const left = (await readSealedText(store, sealed)).split('\n').flatMap((line) => {
      const [, parent, high, low] = LINE.exec(line) ?? [];
      return parent === undefined ? [] : [{ timeline: Number(parent), at: positionOf(`${high}/${low}`) }];
    });
    found.set(timeline, { timeline, begunAt: (await headOf(sealed.file, sealed.name)).at, left });
  }
  return found;
}

/** Whether a timeline came from the one of a base backup, behind its end: before that, the backup is not whole. */
const isBehind = ({ left }: History, base: Manifest): boolean =>
  left.some(({ timeline, at }) => timeline === base.timeline && at >= positionOf(base.endLsn));

function wayAlong({ timeline, begunAt, left }: History, base: Manifest): Way {
  const bytes = BigInt(base.walSegmentBytes);
  let from = segmentOf(base.startLsn, base.walSegmentBytes);
  const stretches: Stretch[] = [];
  for (const one of left.slice(left.findIndex((past) => past.timeline === base.timeline))) {
    // Left at the beginning of a segment, nothing in it belongs to the timeline that was left.
    stretches.push({ timeline: one.timeline, from, to: Number((one.at - 1n) / bytes) });
    from = Number(one.at / bytes);
  }
  return { timeline, begunAt, stretches: [...stretches, { timeline, from, to: Infinity }] };
}

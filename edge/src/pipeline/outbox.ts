import { createHmac, randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { Failpoint } from '../base/failpoint.ts';
import { guarded, openFile, transact } from './outbox-file.ts';
import { complement, type Range } from './ranges.ts';

export { OutboxError } from './outbox-file.ts';

export type MessageKind = 'samples' | 'points' | 'events';

/** A message before it has a number. */
export interface Draft {
  readonly kind: MessageKind;
  /** Unix ms of the earliest and latest sample inside. */
  readonly from: number;
  readonly to: number;
  /** Builds the final signed bytes once the number is known. Runs inside the transaction: keep it short. */
  readonly seal: (epoch: string, seq: number) => Uint8Array;
  /** For kind 'points': the hash by which batches will name it. */
  readonly tableHash?: string;
  /** Id of the gap that this message tells the cloud of: both are written, or neither. */
  readonly tellsGap?: number;
}

/** Samples that were refused: what the gateway must own up to instead of staying silent. */
export interface Gap {
  readonly what: 'gauges' | 'all';
  /** thinned: of each gauge one reading in so many seconds was kept. */
  readonly why: 'full' | 'disk' | 'thinned';
  /** Unix ms of the first and the last refused sample. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** What one receipt changed. */
export interface Received {
  readonly received: number;
  /** Lowest seq that the cloud once had and now has not; null when none. From there on everything goes again. */
  readonly lostFrom: number | null;
}

export interface OutboxState {
  /** Messages without a receipt. */
  readonly pending: number;
  /** Unix ms of the oldest of them. */
  readonly oldestAt: number | null;
  /** Bytes in use; the file itself does not shrink. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Bytes of those without a receipt; what the cloud has makes room when it is needed. */
  readonly waitingBytes: number;
  /** How fast the latest messages came, bytes an hour; null when there are too few to tell. */
  readonly bytesPerHour: number | null;
}

/**
 * What the outbox still takes in. all: everything. thinned: of each gauge one reading in so many seconds. registers: what bills,
 * and no gauge or state. none: nothing.
 */
export type Room = 'all' | 'thinned' | 'registers' | 'none';

/** Messages on disk from the moment a sample is accepted until long after the cloud's receipt. Every method may throw OutboxError. */
export interface Outbox {
  /** 64 random bits, hex: names this file, or since {@link renew} what became of it. */
  readonly epoch: string;
  /** Highest number given so far. */
  lastSeq(): number;
  /** Hash of the point table written last. */
  tableHash(): string | null;
  /** Accepts a message: it survives kill and power cut once this returns. @returns its number, for ever. */
  append(draft: Draft): number;
  /** What may still be taken in; makes room first by dropping what the cloud already has. */
  room(): Room;
  /** Writes a gap, or over the one with this id. @returns its id. */
  saveGap(gap: Gap, id?: number): number;
  /** Gaps that no message tells of yet, oldest first. */
  untoldGaps(): (Gap & { readonly id: number })[];
  /** Messages without a receipt beyond `after`, ascending. */
  waiting(after: number, limit: number): number[];
  /** The newest message without a receipt beyond `after`. */
  newestWaiting(after: number): number | undefined;
  /** Point tables without a receipt, ascending: they go first, so that no batch has to wait for its table. */
  waitingTables(): number[];
  /** Every point table that is here, ascending. */
  tables(): number[];
  /** Messages of samples with any of [from, to) Unix ms inside, received or not, by the time of their first sample. */
  holding(from: number, to: number): number[];
  /** Unix ms of the oldest sample that is still here; null when there is none. */
  heldSince(): number | null;
  /** Unix ms of the newest one; null when there is none. */
  heldUntil(): number | null;
  /** The signed bytes, undefined when deleted meanwhile. */
  envelope(seq: number): Uint8Array | undefined;
  /** An id for the broker's own deduplication that no other gateway can guess and so poison. */
  messageId(seq: number): string;
  /** Applies what the cloud holds. With `mayLose` also what it lost: rows it no longer names wait again. */
  receive(ranges: readonly Range[], mayLose: boolean, now: number): Received;
  /**
   * Goes on under another epoch: the file is an older copy of itself, and the numbers it gives were given before. What waits and
   * the point tables go again, as `reseal` makes them; what the cloud had is let go.
   */
  renew(reseal: (envelope: Uint8Array, epoch: string) => Uint8Array): void;
  /** Deletes messages received before `before` (Unix ms). Point tables stay: a cloud rebuilt from nothing needs them. */
  purge(before: number): number;
  state(): OutboxState;
  /** Safe when called twice. */
  close(): void;
}

export interface OutboxDeps {
  readonly path: string;
  readonly maxBytes: number;
  readonly now: () => number;
  /** How long to wait for somebody else's lock on the file, ms. It stops the whole process meanwhile. */
  readonly busyMs?: number;
  readonly failpoint: Failpoint;
  /** Told when a damaged file was put aside. Absent for whoever only visits: the file is left as it is. */
  readonly onMovedAside?: (movedTo: string, cause: unknown) => void;
}

/** From this share of the limit on gauges are thinned: a fever curve with fewer dots still tells of the fever. */
export const THINNED_FROM = 0.8;
/** From this share on only registers are taken: they carry money, gauges carry comfort. */
const REGISTERS_ONLY = 0.9;
/** The latest messages whose growth stands for the hours to come. */
const RECENT = 600;
/** Growth measured over less than this is a guess, ms. */
const RECENT_MS = 60_000;
/** Received messages dropped in one go to make room. */
const RECLAIM = 256;

/** @throws OutboxError 'newer' or 'disk' when the file cannot be opened, 'corrupt' when it is damaged and stays where it is. */
export function openOutbox(deps: OutboxDeps): Outbox {
  const { path, maxBytes, now, failpoint } = deps;
  const { db, movedTo, cause } = openFile(path, {
    suffix: new Date(now()).toISOString().replaceAll(':', '-'),
    busyMs: deps.busyMs ?? 2_000,
    mayMoveAside: deps.onMovedAside !== undefined,
  });
  if (movedTo !== undefined) deps.onMovedAside?.(movedTo, cause);

  const sql = prepare(db);
  const { secret, ...identity } = sql.identity.get() as { epoch: string; secret: Uint8Array };
  let { epoch } = identity;
  const usedBytes = (): number => guarded(() => (sql.usedBytes.get() as { used: number }).used);
  const meta = () => guarded(() => sql.meta.get() as { next_seq: number; table_hash: string | null });

  return {
    get epoch() {
      return epoch;
    },
    lastSeq: () => meta().next_seq - 1,
    tableHash: () => meta().table_hash,
    append(draft) {
      const seq = transact(db, () => {
        const taken = sql.takeSeq.get() as { seq: number; epoch: string };
        const { seq } = taken;
        sql.insert.run(seq, draft.kind, draft.seal(taken.epoch, seq), now(), draft.from, draft.to);
        if (draft.tableHash !== undefined) sql.setTable.run(draft.tableHash);
        if (draft.tellsGap !== undefined) sql.tellGap.run(seq, draft.tellsGap);
        failpoint('before-commit');
        return seq;
      });
      failpoint('after-commit');
      return seq;
    },
    room() {
      while (usedBytes() >= maxBytes * THINNED_FROM) {
        if (transact(db, () => sql.reclaim.run(RECLAIM).changes) === 0) break;
      }
      const share = usedBytes() / maxBytes;
      if (share >= 1) return 'none';
      if (share >= REGISTERS_ONLY) return 'registers';
      return share >= THINNED_FROM ? 'thinned' : 'all';
    },
    saveGap: ({ what, why, from, to, count }, id) =>
      transact(db, () =>
        Number((sql.saveGap.get(id ?? null, what, why, from, to, count) as { id: number }).id),
      ),
    untoldGaps: () =>
      guarded(() => sql.untoldGaps.all() as Record<string, unknown>[] as unknown as (Gap & { id: number })[]),
    waiting: (after, limit) => guarded(() => sql.waiting.all(after, limit).map(seqOf)),
    newestWaiting: (after) => guarded(() => sql.newest.all(after).map(seqOf)[0]),
    waitingTables: () => guarded(() => sql.waitingTables.all().map(seqOf)),
    tables: () => guarded(() => sql.tables.all().map(seqOf)),
    holding: (from, to) => guarded(() => sql.holding.all(from, to).map(seqOf)),
    heldUntil: () => guarded(() => (sql.heldUntil.get() as { until: number | null }).until),
    heldSince: () => guarded(() => (sql.heldSince.get() as { since: number | null }).since),
    envelope: (seq) =>
      guarded(() => (sql.envelope.get(seq) as { envelope: Uint8Array } | undefined)?.envelope),
    messageId: (seq) => createHmac('sha256', secret).update(`${epoch}|${seq}`).digest('base64url'),
    receive: (ranges, mayLose, at) => receive({ db, sql, ranges, mayLose, at }),
    renew(reseal) {
      const next = randomBytes(8).toString('hex');
      transact(db, () => {
        renew(sql, next, reseal);
        failpoint('before-commit');
      });
      epoch = next;
    },
    purge: (before) => transact(db, () => Number(sql.purge.run(before).changes)),
    state: () => stateOf(sql, maxBytes),
    close() {
      if (db.isOpen) db.close();
    },
  };
}

/** What a look at an outbox shows that leaves the file, and the gateway that may be writing to it, alone. */
export interface OutboxPeek {
  readonly epoch: string;
  readonly state: OutboxState;
  /** Unix ms of the newest sample that is still here. */
  readonly heldUntil: number | null;
}

/** @throws Error, mostly of SQLite, when the file cannot be read; it is never moved or changed. */
export function peekOutbox(path: string, maxBytes: number): OutboxPeek {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const sql = prepare(db);
    const { epoch } = sql.identity.get() as { epoch: string };
    const { until } = sql.heldUntil.get() as { until: number | null };
    return { epoch, state: stateOf(sql, maxBytes), heldUntil: until };
  } finally {
    db.close();
  }
}

type Statements = ReturnType<typeof prepare>;

function stateOf(sql: Statements, maxBytes: number): OutboxState {
  const { pending, oldest } = guarded(() => sql.pending.get() as { pending: number; oldest: number | null });
  const { written, total, recent, since, until } = guarded(() => sql.growth.get(RECENT) as unknown as Growth);
  const bytes = guarded(() => (sql.usedBytes.get() as { used: number }).used);
  const spanMs = until - since;
  return {
    ...{ pending, oldestAt: oldest, bytes, maxBytes },
    waitingBytes: total === 0 ? 0 : Math.round((bytes * pending) / Math.max(total, pending)),
    bytesPerHour: written > 1 && spanMs >= RECENT_MS ? Math.round((recent / spanMs) * 3_600_000) : null,
  };
}

/** Messages on disk, and size and times of the latest of them. */
interface Growth {
  readonly total: number;
  readonly written: number;
  readonly recent: number;
  readonly since: number;
  readonly until: number;
}

const seqOf = (row: Record<string, unknown>): number => row['seq'] as number;

function prepare(db: DatabaseSync) {
  return {
    identity: db.prepare('SELECT epoch, secret FROM meta'),
    meta: db.prepare('SELECT next_seq, table_hash FROM meta'),
    // Read and raised in one statement inside the transaction: even two processes on one file never share a number.
    takeSeq: db.prepare('UPDATE meta SET next_seq = next_seq + 1 RETURNING next_seq - 1 AS seq, epoch'),
    setTable: db.prepare('UPDATE meta SET table_hash = ?'),
    insert: db.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, NULL)'),
    waiting: db.prepare('SELECT seq FROM message WHERE received_at IS NULL AND seq > ? ORDER BY seq LIMIT ?'),
    newest: db.prepare(
      'SELECT seq FROM message WHERE received_at IS NULL AND seq > ? ORDER BY seq DESC LIMIT 1',
    ),
    waitingTables: db.prepare(
      "SELECT seq FROM message WHERE received_at IS NULL AND kind = 'points' ORDER BY seq",
    ),
    tables: db.prepare("SELECT seq FROM message WHERE kind = 'points' ORDER BY seq"),
    holding: db.prepare(
      "SELECT seq FROM message WHERE kind = 'samples' AND to_ms >= ? AND from_ms < ? ORDER BY from_ms, seq",
    ),
    heldSince: db.prepare("SELECT min(from_ms) AS since FROM message WHERE kind = 'samples'"),
    heldUntil: db.prepare("SELECT max(to_ms) AS until FROM message WHERE kind = 'samples'"),
    envelope: db.prepare('SELECT envelope FROM message WHERE seq = ?'),
    markReceived: db.prepare(
      'UPDATE message SET received_at = ? WHERE received_at IS NULL AND seq BETWEEN ? AND ?',
    ),
    markLost: db.prepare(
      'UPDATE message SET received_at = NULL WHERE received_at IS NOT NULL AND seq BETWEEN ? AND ? RETURNING seq',
    ),
    setEpoch: db.prepare('UPDATE meta SET epoch = ?'),
    dropReceived: db.prepare("DELETE FROM message WHERE received_at IS NOT NULL AND kind <> 'points'"),
    everySeq: db.prepare('SELECT seq FROM message ORDER BY seq'),
    reseal: db.prepare('UPDATE message SET envelope = ?, received_at = NULL WHERE seq = ?'),
    purge: db.prepare("DELETE FROM message WHERE received_at < ? AND kind <> 'points'"),
    reclaim: db.prepare(
      `DELETE FROM message WHERE seq IN (
         SELECT seq FROM message WHERE received_at IS NOT NULL AND kind <> 'points' ORDER BY received_at LIMIT ?)`,
    ),
    saveGap: db.prepare(
      `INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?, NULL)
       ON CONFLICT (id) DO UPDATE SET what = excluded.what, why = excluded.why,
         from_ms = excluded.from_ms, to_ms = excluded.to_ms, count = excluded.count
       RETURNING id`,
    ),
    tellGap: db.prepare('UPDATE gap SET told_seq = ? WHERE id = ?'),
    untoldGaps: db.prepare(
      `SELECT id, what, why, from_ms AS "from", to_ms AS "to", count FROM gap WHERE told_seq IS NULL ORDER BY id`,
    ),
    // Numbers are given without holes and mostly deleted from the low end: their span stands for their count.
    growth: db.prepare(
      `SELECT coalesce((SELECT max(seq) FROM message) - (SELECT min(seq) FROM message) + 1, 0) AS total,
         count(*) AS written, coalesce(sum(length(envelope)), 0) AS recent,
         coalesce(min(appended_at), 0) AS since, coalesce(max(appended_at), 0) AS until
       FROM (SELECT envelope, appended_at FROM message ORDER BY seq DESC LIMIT ?)`,
    ),
    pending: db.prepare(
      `SELECT count(*) AS pending,
         (SELECT from_ms FROM message WHERE received_at IS NULL ORDER BY seq LIMIT 1) AS oldest
       FROM message WHERE received_at IS NULL`,
    ),
    usedBytes: db.prepare(
      `SELECT (p.page_count - f.freelist_count) * s.page_size AS used
       FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s`,
    ),
  };
}

function renew(
  sql: Statements,
  epoch: string,
  reseal: (envelope: Uint8Array, epoch: string) => Uint8Array,
): void {
  sql.setEpoch.run(epoch);
  sql.dropReceived.run();
  for (const { seq } of sql.everySeq.all() as { seq: number }[]) {
    const { envelope } = sql.envelope.get(seq) as { envelope: Uint8Array };
    sql.reseal.run(reseal(envelope, epoch), seq);
  }
}

interface Receiving {
  readonly db: DatabaseSync;
  readonly sql: ReturnType<typeof prepare>;
  readonly ranges: readonly Range[];
  readonly mayLose: boolean;
  readonly at: number;
}

function receive({ db, sql, ranges, mayLose, at }: Receiving): Received {
  return transact(db, () => {
    const { next_seq } = sql.meta.get() as { next_seq: number };
    let received = 0;
    for (const [from, to] of ranges) received += Number(sql.markReceived.run(at, from, to).changes);
    if (!mayLose) return { received, lostFrom: null };
    const lost = complement(ranges, next_seq - 1).flatMap(([from, to]) =>
      sql.markLost.all(from, to).map(seqOf),
    );
    return { received, lostFrom: lost.length > 0 ? lost.reduce((a, b) => Math.min(a, b)) : null };
  });
}

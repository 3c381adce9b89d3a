import type { DatabaseSync } from 'node:sqlite';
import type { Command, GatewayEvent } from '@parkline/contract';
import { guarded, transact } from '../pipeline/outbox-file.ts';
import { openJournalFile } from './journal-file.ts';
import { AHEAD_MS } from './judge-command.ts';

export type CommandEvent = Extract<GatewayEvent, { type: 'command' }>;

/** A point that is to be given back. */
export interface Hold {
  readonly commandId: string;
  readonly pointId: string;
  /** Unix ms. */
  readonly dueAt: number;
  readonly holdMs: number;
}

/** A command that a stop or a kill left without a result. */
export interface Unfinished {
  readonly id: string;
  readonly pointId: string;
  /** False: certainly not written. True: nobody knows. */
  readonly isBegun: boolean;
  readonly before: number | null;
}

/** What the gateway did and must still do about commands, on disk. Every method may throw OutboxError. */
export interface CommandJournal {
  /** Notes an id before anything is done about it. @returns false when it is known: then nothing more is done about it. */
  take(command: Pick<Command, 'id' | 'pointId' | 'issuedAt'>, now: number): boolean;
  /** From here on it may have been written. Its hold is noted at once, so that no kill leaves a point held for ever. */
  begin(id: string, write: { readonly at: number; readonly before: number | null }, hold?: Hold): void;
  /** Notes the result. `hold` says what becomes of its hold: kept, it replaces earlier ones of the point. */
  end(event: CommandEvent, now: number, hold: 'kept' | 'dropped'): void;
  /** Notes that a hold is over and the point given back, or that it never will be. */
  endHold(commandId: string, event: CommandEvent): void;
  unfinished(): Unfinished[];
  holds(): Hold[];
  /** Writes begun after `since` (Unix ms), to this point and at all. */
  recent(pointId: string, since: number): { readonly point: number; readonly gateway: number };
  /** Latest `issuedAt` taken so far; commands issued before `notBefore` are not taken. */
  known(): { readonly newestIssuedAt: number; readonly notBefore: number };
  /** Results that the outbox does not have yet, oldest first. */
  unsent(): CommandEvent[];
  sent(eventId: string): void;
  /** Forgets what ended before (Unix ms). */
  purge(before: number): void;
  /** Safe when called twice. */
  close(): void;
}

/** @throws OutboxError 'newer' or 'disk' when the file cannot be opened. */
export function openJournal(
  path: string,
  now: number,
  onMovedAside: (movedTo: string) => void,
): CommandJournal {
  const { db, movedTo } = openJournalFile(path, now);
  if (movedTo !== undefined) onMovedAside(movedTo);
  const sql = prepare(db);
  const addEvent = (event: CommandEvent): void => void sql.addEvent.run(event.id, JSON.stringify(event));
  return {
    take: ({ id, pointId, issuedAt }, at) =>
      transact(db, () => {
        // One from the future says nothing of the true time: it would lock out all that follow.
        if (issuedAt <= at + AHEAD_MS) sql.seen.run(issuedAt);
        return sql.take.run(id, pointId, at).changes === 1;
      }),
    begin(id, { at, before }, hold) {
      transact(db, () => {
        sql.begin.run(at, before, id);
        if (hold) sql.hold.run(id, hold.pointId, hold.dueAt, hold.holdMs);
      });
    },
    end(event, at, hold) {
      transact(db, () => {
        sql.end.run(at, event.commandId);
        if (hold === 'kept') sql.replaceHolds.run(event.pointId, event.commandId);
        else sql.dropHold.run(event.commandId);
        addEvent(event);
      });
    },
    endHold(commandId, event) {
      transact(db, () => {
        sql.dropHold.run(commandId);
        addEvent(event);
      });
    },
    unfinished: () => guarded(() => sql.unfinished.all().map(unfinishedOf)),
    holds: () => guarded(() => sql.holds.all() as unknown as Hold[]),
    recent: (pointId, since) =>
      guarded(() => sql.recent.get(pointId, since) as { point: number; gateway: number }),
    known: () => guarded(() => sql.known.get() as { newestIssuedAt: number; notBefore: number }),
    unsent: () =>
      guarded(() => sql.events.all().map(({ body }) => JSON.parse(body as string) as CommandEvent)),
    sent: (eventId) => void transact(db, () => sql.dropEvent.run(eventId)),
    purge: (before) => void transact(db, () => sql.purge.run(before)),
    close() {
      if (db.isOpen) db.close();
    },
  };
}

const unfinishedOf = (row: Record<string, unknown>): Unfinished => ({
  id: row['id'] as string,
  pointId: row['pointId'] as string,
  isBegun: row['begunAt'] !== null,
  before: row['before'] as number | null,
});

function prepare(db: DatabaseSync) {
  return {
    seen: db.prepare('UPDATE meta SET newest_issued_at = max(newest_issued_at, ?)'),
    known: db.prepare('SELECT newest_issued_at AS newestIssuedAt, not_before AS notBefore FROM meta'),
    take: db.prepare('INSERT INTO command (id, point_id, taken_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    begin: db.prepare('UPDATE command SET begun_at = ?, before = ? WHERE id = ?'),
    end: db.prepare('UPDATE command SET ended_at = ? WHERE id = ?'),
    unfinished: db.prepare(
      `SELECT id, point_id AS pointId, begun_at AS begunAt, before FROM command
       WHERE ended_at IS NULL ORDER BY taken_at, id`,
    ),
    recent: db.prepare(
      `SELECT count(*) FILTER (WHERE point_id = ?) AS point, count(*) AS gateway FROM command WHERE begun_at > ?`,
    ),
    hold: db.prepare('INSERT INTO hold VALUES (?, ?, ?, ?)'),
    holds: db.prepare(
      `SELECT command_id AS commandId, point_id AS pointId, due_at AS dueAt, hold_ms AS holdMs
       FROM hold ORDER BY due_at`,
    ),
    replaceHolds: db.prepare('DELETE FROM hold WHERE point_id = ? AND command_id <> ?'),
    dropHold: db.prepare('DELETE FROM hold WHERE command_id = ?'),
    addEvent: db.prepare('INSERT INTO event VALUES (?, ?)'),
    events: db.prepare('SELECT body FROM event ORDER BY rowid'),
    dropEvent: db.prepare('DELETE FROM event WHERE id = ?'),
    purge: db.prepare('DELETE FROM command WHERE ended_at < ?'),
  };
}

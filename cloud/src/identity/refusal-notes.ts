import type { Logger } from 'pino';
import type { Now, Wait } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import type { Refusal, RefusalNotes } from '../platform/refusals.ts';
import { audit } from './audit.ts';

const WINDOW_MS = 60_000;
/** Routes and reasons of one person, key or screen that are told apart in a window. */
const MOST_OF_ONE = 10;
/** Those of an account together. */
const MOST_OF_ACCOUNT = 100;

/** One that was written, and how often it came again. */
interface Tally {
  readonly refusal: Refusal;
  again: number;
}

/** What came to one account within a minute. */
interface Window {
  readonly endsAt: number;
  readonly tallies: Map<string, Tally>;
  /** By who asked: how many tallies, and what came beyond them. */
  readonly people: Map<string, { tallies: number; readonly rest: Tally }>;
  /** Of people who are not in the window, because it was full. */
  others: number;
}

export interface RefusalNotesDeps {
  /** As parkline_app. */
  readonly db: Db;
  readonly now: Now;
  readonly log: Logger;
}

/**
 * Refusals in the audit. The first of a person, route and reason is an entry at once; what comes again within its minute is
 * counted, and the count is an entry when the minute is over. Nobody makes more than 21 entries a minute, and no account gets
 * more than 301 from each process, whatever is tried; a count that its process did not live to write is lost.
 */
export function createRefusalNotes({ db, now, log }: RefusalNotesDeps) {
  const windows = new Map<string, Window>();
  const underWay = new Set<Promise<void>>();
  const tracked = (one: Promise<void>): Promise<void> => {
    underWay.add(one);
    return one.finally(() => underWay.delete(one));
  };

  const write = (line: Line, details: object): Promise<void> =>
    put(db, line, now(), details).catch((err: unknown) => {
      log.error({ err, route: line.route }, 'refusal not written into the audit');
    });

  function windowOf(accountId: string): Window {
    const open = windows.get(accountId);
    if (open && open.endsAt > now().getTime()) return open;
    if (open) void settled(accountId, open);
    const fresh = { endsAt: now().getTime() + WINDOW_MS, tallies: new Map(), people: new Map(), others: 0 };
    windows.set(accountId, fresh);
    return fresh;
  }

  const settled = (accountId: string, window: Window) => tracked(settle(accountId, window));
  /** Writes the counts of a window that takes no more. */
  async function settle(accountId: string, window: Window): Promise<void> {
    if (windows.get(accountId) === window) windows.delete(accountId);
    for (const { refusal, again } of window.tallies.values()) if (again > 0) await write(refusal, { again });
    for (const { rest } of window.people.values())
      if (rest.again > 0) await write(whoIn(rest.refusal), { further: rest.again });
    if (window.others > 0) await write({ accountId, personId: null }, { further: window.others });
  }

  const notes = {
    async note(refusal: Refusal): Promise<void> {
      const window = windowOf(refusal.accountId);
      const { tallies, people } = window;
      const who = whoOf(refusal);
      const key = `${who} ${refusal.route} ${refusal.reason}`;
      const known = tallies.get(key);
      if (known) return void (known.again += 1);
      const person = people.get(who);
      if (tallies.size >= MOST_OF_ACCOUNT && !person) return void (window.others += 1);
      if (tallies.size >= MOST_OF_ACCOUNT || (person && person.tallies >= MOST_OF_ONE))
        return void (person!.rest.again += 1);
      tallies.set(key, { refusal, again: 0 });
      if (person) person.tallies += 1;
      else people.set(who, { tallies: 1, rest: { refusal, again: 0 } });
      return tracked(write(refusal, {}));
    },

    /** Writes the counts of every window that is over; of all with `all`. */
    async settle(all = false): Promise<void> {
      for (const [accountId, window] of windows)
        if (all || window.endsAt <= now().getTime()) await settled(accountId, window);
    },

    async close(): Promise<void> {
      await notes.settle(true);
      await Promise.all(underWay);
    },
  } satisfies RefusalNotes & { settle(all?: boolean): Promise<void> };
  return notes;
}

/** Writes each minute what was counted, until `signal` aborts. */
export async function runRefusalNotes(
  { notes, wait }: { readonly notes: ReturnType<typeof createRefusalNotes>; readonly wait: Wait },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await wait(WINDOW_MS, signal);
    await notes.settle();
  }
}

const whoOf = ({ by, apiKeyId, personId, subjectId }: Refusal): string =>
  by === null ? `login ${subjectId}` : `${by} ${apiKeyId ?? personId}`;

/** What goes into an entry; one that counts what is not told apart names neither route nor reason. */
type Line = Pick<Refusal, 'accountId' | 'personId'> & Partial<Refusal>;

const whoIn = ({ accountId, personId, by, apiKeyId, ip }: Refusal): Line => ({
  ...{ accountId, personId, by, ip },
  ...(apiKeyId !== undefined && { apiKeyId }),
});

/** One entry. A failed login is a session that did not begin, of nobody; its subject is whom it was tried as. */
async function put(db: Db, line: Line, at: Date, more: object): Promise<void> {
  const { accountId, personId, by, apiKeyId, subjectId, route, reason, ip } = line;
  const bounds = { accountId, tenantId: null, buildings: null, ...(apiKeyId !== undefined && { apiKeyId }) };
  const action = by === null ? 'session.refused' : 'request.refused';
  const details = { route, ...(by === 'display' && { by }), ...more };
  await withActor(db, bounds, (trx) =>
    audit(trx, {
      ...{ accountId, at, personId, action, details, result: 'refused' },
      ...(reason !== undefined && { reason }),
      ...(subjectId !== undefined && { subjectId }),
      ...(ip !== undefined && { ip }),
    }),
  );
}

import type { Language, Removed } from '@parkline/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { type Change, type differences, noteChange, type ThingDeps } from './thing-changes.ts';

interface Versioned {
  readonly version: number;
}

/** One kind of things that people make, change and take away one at a time. */
export interface ThingKind<Row extends Versioned, View extends Versioned> {
  /** In refusals and in the audit: 'equipment'. */
  readonly noun: string;
  /** Locked until the transaction ends; undefined: there is none in sight. */
  lock(trx: Db, accountId: string, id: string): Promise<Row | undefined>;
  /** As people see it. @throws AppError 'not_found'. */
  view(trx: Db, accountId: string, id: string, language: Language): Promise<View>;
  /** Tells whoever follows these things. */
  tell?(trx: Db, accountId: string): Promise<void>;
}

export const noSuch = (what: string, id: string): AppError =>
  new AppError('not_found', `no such ${what}`, { details: { id } });

/**
 * What the routes of every kind have in common: each runs as the person who asks, in one transaction with its note in the
 * audit, and answers with the thing and its version. What a change is made of is the kind's own.
 */
export function createThingEdits<Row extends Versioned, View extends Versioned>(
  { db, now }: Pick<ThingDeps, 'db' | 'now'>,
  { noun, lock, view, tell }: ThingKind<Row, View>,
) {
  const note = (trx: Db, request: FastifyRequest, what: string, change: Omit<Change, 'action'>) =>
    noteChange(trx, now, actorOf(request), request, { action: `${noun}.${what}`, ...change });
  const shown = (trx: Db, { accountId }: Actor, { language }: FastifyRequest, id: string) =>
    view(trx, accountId, id, language);

  /** Does `work` with the thing as it was read. @throws AppError 'not_found', or 'stale_edit' with what is there now. */
  function onVersion<T>(request: FastifyRequest, id: string, work: (trx: Db, before: Row) => Promise<T>) {
    const actor = actorOf(request);
    const version = ifMatch(request);
    return withActor(db, actor, async (trx) => {
      await tell?.(trx, actor.accountId);
      const before = await lock(trx, actor.accountId, id);
      if (!before) throw noSuch(noun, id);
      if (before.version !== version) throw staleEdit(await shown(trx, actor, request, id));
      return work(trx, before);
    });
  }
  function answer(reply: FastifyReply, thing: View): View {
    etag(reply, thing.version);
    return thing;
  }

  return {
    async show(request: FastifyRequest, reply: FastifyReply, id: string): Promise<View> {
      const actor = actorOf(request);
      return answer(reply, await withActor(db, actor, (trx) => shown(trx, actor, request, id)));
    },

    /** @param make inserts it. @returns what the audit keeps of it. */
    async add(
      request: FastifyRequest,
      reply: FastifyReply,
      make: (trx: Db, accountId: string) => Promise<Omit<Change, 'action'>>,
    ): Promise<View> {
      const actor = actorOf(request);
      const thing = await withActor(db, actor, async (trx) => {
        await tell?.(trx, actor.accountId);
        const made = await make(trx, actor.accountId);
        await note(trx, request, 'created', made);
        return shown(trx, actor, request, made.id);
      });
      reply.code(201);
      return answer(reply, thing);
    },

    /** @param change stores it and tells the fields that differ: nothing is noted where none does. */
    async change(
      request: FastifyRequest,
      reply: FastifyReply,
      id: string,
      change: (trx: Db, before: Row) => Promise<ReturnType<typeof differences>>,
    ): Promise<View> {
      const thing = await onVersion(request, id, async (trx, before) => {
        const fields = await change(trx, before);
        if (Object.keys(fields.after).length > 0) await note(trx, request, 'changed', { id, ...fields });
        return shown(trx, actorOf(request), request, id);
      });
      return answer(reply, thing);
    },

    /** @param remove deletes or retires it, and tells which, and what the audit keeps of it. */
    remove: (
      request: FastifyRequest,
      id: string,
      remove: (trx: Db, before: Row) => Promise<Removed & Pick<Change, 'details'>>,
    ): Promise<Removed> =>
      onVersion(request, id, async (trx, before) => {
        const { removed, ...change } = await remove(trx, before);
        await note(trx, request, removed, { id, ...change });
        return { removed };
      }),
  };
}

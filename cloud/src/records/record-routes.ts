import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams } from '@parkline/contract';
import { sql } from 'kysely';
import Type, { type TObject } from 'typebox';
import { type Actor, actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import type { NewId } from '../platform/ids.ts';
import { singular } from '../platform/openapi-names.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { audit } from '../identity/index.ts';
import { changedFields } from './changed-fields.ts';
import { holdersOf } from './holders.ts';
import { refusing } from './refusals.ts';

/** Who changes something, and when. */
export interface Editor {
  readonly accountId: string;
  /** Null: the command line, or nobody but the calendar. */
  readonly personId: string | null;
  readonly at: Date;
  readonly newId: NewId;
  readonly ip?: string | undefined;
}

interface Viewed {
  readonly id: string;
  readonly version: number;
}

/** Things that people make, change and delete one at a time. All functions run as the person who asks. */
export interface RecordKind<View extends Viewed, Body> {
  /** '/api/sites'; one thing is below it by its id. */
  readonly path: string;
  /** Table, and what the audit calls it. It has the columns id, account_id and version. */
  readonly table: string;
  readonly reads: string;
  readonly writes: string;
  readonly body: TObject;
  readonly view: TObject;
  /** As it is now; undefined where there is none in sight. */
  find(trx: Db, accountId: string, id: string, at: Date): Promise<View | undefined>;
  /** @throws AppError on a body that fits nothing. */
  insert(trx: Db, editor: Editor, id: string, body: Body): Promise<void>;
  update(trx: Db, editor: Editor, current: View, body: Body): Promise<void>;
  /** Before the row goes: what goes with it. */
  remove?(trx: Db, editor: Editor, current: View): Promise<void>;
  /** After any of the three: what follows from it. */
  settle?(trx: Db, editor: Editor, id: string): Promise<void>;
  /** What the audit may keep for ever; left out: everything. */
  audited?(view: View): object;
}

export interface RecordDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
}

/** POST, GET, PUT and DELETE of one kind. Lists are the slice's own. */
export const recordRoutes =
  <View extends Viewed, Body>(deps: RecordDeps, kind: RecordKind<View, Body>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { path, reads, writes, body, view } = kind;
    const { db, now, newId } = deps;
    const params = IdParams;
    const one = `a ${singular(path.slice('/api/'.length))}`;
    const editorOf = ({ accountId, personId }: Actor, ip: string): Editor => ({
      accountId,
      personId,
      at: now(),
      newId,
      ip,
    });

    app.post(
      path,
      {
        schema: { summary: `Add ${one}`, body, response: { 201: view } },
        config: { permission: writes },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const editor = editorOf(actor, request.ip);
        const made = await refusing(() =>
          withActor(db, actor, (trx) => addRecord(trx, kind, editor, request.body as Body)),
        );
        etag(reply, made.version);
        return reply.code(201).send(plain(made));
      },
    );

    app.get(
      `${path}/:id`,
      {
        schema: { summary: `Get ${one}`, params, response: { 200: view } },
        config: { permission: reads },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const found = await withActor(db, actor, (trx) =>
          kind.find(trx, actor.accountId, request.params.id, now()),
        );
        if (!found) throw notThere(kind, request.params.id);
        etag(reply, found.version);
        return reply.send(plain(found));
      },
    );

    app.put(
      `${path}/:id`,
      {
        schema: { summary: `Change ${one}`, params, body, response: { 200: view } },
        config: { permission: writes },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const editor = editorOf(actor, request.ip);
        const version = ifMatch(request);
        const { id } = request.params;
        const changed = await refusing(() =>
          withActor(db, actor, (trx) =>
            changeRecord(trx, kind, editor, {
              ...{ id, version },
              change: (current) => kind.update(trx, editor, current, request.body as Body),
            }),
          ),
        );
        etag(reply, changed.version);
        return reply.send(plain(changed));
      },
    );

    app.delete(
      `${path}/:id`,
      {
        schema: { summary: `Delete ${one}`, params, response: { 204: Type.Null() } },
        config: { permission: writes },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const editor = editorOf(actor, request.ip);
        const version = ifMatch(request);
        const { id } = request.params;
        await refusing(() => withActor(db, actor, (trx) => removeRecord(trx, kind, editor, { id, version })));
        return reply.code(204).send(null);
      },
    );
  };

/** The kind's own schema says what of it goes out. */
const plain = (view: Viewed) => view as unknown as Record<PropertyKey, unknown>;

const notThere = ({ table }: { readonly table: string }, id: string): AppError =>
  new AppError('not_found', `no such ${table}`, { details: { id } });

const deedOf = ({ accountId, personId, at, ip }: Editor) => ({
  ...{ accountId, personId, at },
  ...(ip !== undefined && { ip }),
});

async function addRecord<View extends Viewed, Body>(
  trx: Db,
  kind: RecordKind<View, Body>,
  editor: Editor,
  body: Body,
): Promise<View> {
  const id = editor.newId();
  await kind.insert(trx, editor, id, body);
  await kind.settle?.(trx, editor, id);
  const made = await found(trx, kind, editor, id);
  await audit(trx, {
    ...deedOf(editor),
    ...{ action: `${kind.table}.added`, subjectId: id },
    ...changedFields(null, shown(kind, made)),
  });
  return made;
}

/** Locks the row, so that of two who save at once the second sees the first. @throws AppError 'not_found' or 'stale_edit'. */
async function lockVersion<View extends Viewed, Body>(
  trx: Db,
  kind: RecordKind<View, Body>,
  editor: Editor,
  { id, version }: { readonly id: string; readonly version: number },
): Promise<View> {
  await sql`select from ${sql.table(kind.table)} where account_id = ${editor.accountId} and id = ${id} for no key update`.execute(
    trx,
  );
  const current = await kind.find(trx, editor.accountId, id, editor.at);
  if (!current) throw notThere(kind, id);
  if (current.version !== version) throw staleEdit(current);
  return current;
}

/**
 * Changes one thing that was read at `version`. The version rises only where something really changed.
 * @returns it as it is then. @throws AppError 'not_found' or 'stale_edit'.
 */
export async function changeRecord<View extends Viewed, Body>(
  trx: Db,
  kind: RecordKind<View, Body>,
  editor: Editor,
  { id, version, change }: { id: string; version: number; change: (current: View) => Promise<void> },
): Promise<View> {
  const current = await lockVersion(trx, kind, editor, { id, version });
  await change(current);
  await kind.settle?.(trx, editor, id);
  const after = await found(trx, kind, editor, id);
  const fields = changedFields(shown(kind, current), shown(kind, after));
  if (!fields.after) return after;
  if (after.version === current.version)
    await sql`update ${sql.table(kind.table)} set version = version + 1 where account_id = ${editor.accountId} and id = ${id}`.execute(
      trx,
    );
  await audit(trx, { ...deedOf(editor), action: `${kind.table}.changed`, subjectId: id, ...fields });
  return found(trx, kind, editor, id);
}

async function removeRecord<View extends Viewed, Body>(
  trx: Db,
  kind: RecordKind<View, Body>,
  editor: Editor,
  { id, version }: { readonly id: string; readonly version: number },
): Promise<void> {
  const current = await lockVersion(trx, kind, editor, { id, version });
  await kind.remove?.(trx, editor, current);
  const held = await holdersOf(trx, kind.table, editor.accountId, id);
  if (held.length > 0)
    throw new AppError('conflict', `${kind.table} is still used`, { details: { why: 'held', held } });
  const { numAffectedRows } = await sql`
    delete from ${sql.table(kind.table)} where account_id = ${editor.accountId} and id = ${id}`.execute(trx);
  // It is seen and may not be deleted: a part of it lies out of reach.
  if (numAffectedRows !== 1n)
    throw new AppError('forbidden', `part of ${kind.table} is out of reach`, {
      details: { why: 'out_of_reach' },
    });
  await audit(trx, {
    ...deedOf(editor),
    ...{ action: `${kind.table}.removed`, subjectId: id },
    ...changedFields(shown(kind, current), null),
  });
}

/** Without what every change changes, and what never does. */
function shown<View extends Viewed, Body>({ audited }: RecordKind<View, Body>, view: View): object {
  const { id: _id, version: _version, ...rest } = view;
  return audited ? audited(view) : rest;
}

async function found<View extends Viewed, Body>(
  trx: Db,
  kind: RecordKind<View, Body>,
  { accountId, at }: Editor,
  id: string,
): Promise<View> {
  const view = await kind.find(trx, accountId, id, at);
  if (!view)
    throw new AppError('forbidden', `${kind.table} is out of reach`, { details: { why: 'out_of_reach' } });
  return view;
}

/** The fault of a field that names what is not there, or what the person does not see. */
export const noSuch = (field: string): AppError => badField(`body.${field}`, fieldWords.notSeen);

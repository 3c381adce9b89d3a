import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  IdParams,
  ImportBatch,
  ImportBatchQuery,
  ImportKind,
  ImportQuery,
  ImportResult,
  type Language,
  ListQuery,
  Page,
  SheetName,
} from '@parkline/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { type Actor, actorOf, admit } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { inLanguage } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import { readSheet, SheetError, type SheetFormat, usualLimits } from '../platform/sheets.ts';
import { headerOf } from './columns.ts';
import { exportSheet, templateSheet } from './export.ts';
import type { Scope, SheetKind } from './kind.ts';
import { type Batch, batches } from './repository.ts';
import { runImport, undoImport } from './run.ts';

export interface ImportDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  /** Everything that comes and goes in tables. */
  readonly kinds: readonly SheetKind[];
}

const mediaTypes: Readonly<Record<SheetFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** Which permission is asked for depends on the kind, so each route asks for it by itself. */
const asked = { permission: 'session', keys: true } as const;

/** Tables in and out. */
export const importRoutes =
  (deps: ImportDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(fileRoutes(deps));
    await app.register(batchRoutes(deps));
  };

const fileRoutes =
  ({ db, now, newId, kinds }: ImportDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    // What a file is shows in its bytes: a browser names CSV by whatever its machine has registered for it.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: usualLimits.bytes },
      (_request, body, done) => done(null, body),
    );
    app.post(
      '/api/imports',
      {
        schema: {
          summary: 'Import a table, or try whether it could be',
          querystring: ImportQuery,
          response: { 200: ImportResult, 201: ImportResult },
        },
        config: { ...asked, takes: Object.values(mediaTypes) },
        bodyLimit: usualLimits.bytes,
      },
      async (request, reply) => {
        const { kind: name, dryRun, file = null } = request.query;
        const kind = kindOf(kinds, name);
        const actor = writerOf(request, kind);
        if (!Buffer.isBuffer(request.body)) throw new AppError('unsupported_media', 'no file came');
        const { language } = request;
        const sheet = await readSheet(request.body).catch((error: unknown) => {
          throw error instanceof SheetError ? asAppError(error) : error;
        });
        const result = await withActor(db, actor, (trx) =>
          runImport(trx, kind, scopeOf(request, actor, { now, newId }), { sheet, dryRun, file, language }),
        );
        if (!dryRun && result.errorCount > 0)
          throw new AppError('bad_input', `${result.errorCount} faults in a file of ${name}`, {
            details: result,
          });
        return reply.code(result.batchId ? 201 : 200).send(result);
      },
    );

    for (const [path, summary, write] of [
      ['/api/exports/:name', 'Export a table', exportSheet],
      ['/api/import-templates/:name', 'Get an empty table with its headers', undefined],
    ] as const)
      app.get(
        path,
        {
          schema: { summary, params: SheetName },
          config: { ...asked, gives: Object.values(mediaTypes) },
        },
        async (request, reply) => {
          const [name = '', format] = request.params.name.split('.') as [string, SheetFormat];
          const kind = kindOf(kinds, name);
          const actor = actorFor(request, { permission: write ? kind.reads : kind.writes });
          const { language } = request;
          const bytes = write
            ? await withActor(db, actor, (trx) =>
                write(trx, kind, scopeOf(request, actor, { now, newId }), { format, language }),
              )
            : await templateSheet(kind, format, language);
          return sendFile(reply, request.params.name, { format, bytes });
        },
      );
  };

const batchRoutes =
  ({ db, now, newId, kinds }: ImportDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/import-kinds',
      {
        schema: {
          summary: 'List the kinds of tables that one may import',
          querystring: ListQuery,
          response: { 200: Page(ImportKind) },
        },
        config: asked,
      },
      async (request) => {
        const { after, limit } = request.query;
        const all = writable(kinds, actorOf(request)).map((kind) => kindView(kind, request.language));
        const from = after === undefined ? 0 : all.findIndex(({ kind }) => kind === after) + 1;
        const items = all.slice(from, from + limit);
        return { items, next: from + limit < all.length ? (items.at(-1)?.kind ?? null) : null };
      },
    );

    app.get(
      '/api/imports',
      {
        schema: {
          summary: 'List the imports, newest first',
          querystring: ImportBatchQuery,
          response: { 200: Page(ImportBatch) },
        },
        config: asked,
      },
      async (request) => {
        const actor = actorOf(request);
        const { after, limit } = request.query;
        const page = { kinds: writable(kinds, actor).map(({ name }) => name), after, limit: limit + 1 };
        const found = await withActor(db, actor, (trx) => batches.page(trx, actor.accountId, page));
        const items = found.slice(0, limit);
        return {
          items: items.map(batchView),
          next: found.length > limit ? (items.at(-1)?.id ?? null) : null,
        };
      },
    );

    app.post(
      '/api/imports/:id/undo',
      {
        schema: {
          summary: 'Take an import back',
          params: IdParams,
          response: { 200: Type.Object({ rows: Type.Integer() }) },
        },
        config: asked,
      },
      async (request) => {
        const anyone = actorOf(request);
        const { id } = request.params;
        const batch = await withActor(db, anyone, (trx) => batches.lock(trx, anyone.accountId, id));
        const kind = kinds.find(({ name }) => name === batch?.batch.kind);
        if (!kind) throw new AppError('not_found', 'no such import', { details: { id } });
        const actor = writerOf(request, kind);
        const undone = await withActor(db, actor, (trx) =>
          undoImport(trx, kinds, scopeOf(request, actor, { now, newId }), id),
        );
        if (undone.ok) return { rows: undone.rows };
        if (undone.why === 'unknown') throw new AppError('not_found', 'no such import', { details: { id } });
        const errors =
          undone.why === 'held'
            ? undone.faults.map(({ field, text }) => ({
                row: 0,
                field,
                message: inLanguage(text, request.language),
              }))
            : [];
        throw new AppError('conflict', `import cannot be undone: ${undone.why}`, {
          details: { why: undone.why, errors },
        });
      },
    );
  };

function kindOf(kinds: readonly SheetKind[], name: string): SheetKind {
  const kind = kinds.find((one) => one.name === name);
  if (kind) return kind;
  throw badField('kind', fieldWords.oneOf(kinds.map((one) => one.name)));
}

/** Bounded to where the person holds the permission of the kind. @throws AppError 'forbidden' or of the second factor. */
const actorFor = (request: FastifyRequest, config: { permission: string; fresh?: boolean }): Actor =>
  admit(actorOf(request), config);
const writerOf = (request: FastifyRequest, { writes, fresh = false }: SheetKind): Actor =>
  actorFor(request, { permission: writes, fresh });

const writable = (kinds: readonly SheetKind[], { permissions }: Actor): SheetKind[] =>
  kinds.filter(({ writes }) => permissions.has(writes));

const scopeOf = (
  { ip }: FastifyRequest,
  { accountId, personId, buildings }: Actor,
  { now, newId }: Pick<ImportDeps, 'now' | 'newId'>,
): Omit<Scope, 'locks'> => ({ accountId, personId, buildings, at: now(), newId, ip });

function asAppError(error: SheetError): AppError {
  const fault = { row: error.row, field: 'file', message: error.text };
  return new AppError(error.code, error.message, { details: [fault], cause: error });
}

const sendFile = (
  reply: FastifyReply,
  name: string,
  { format, bytes }: { readonly format: SheetFormat; readonly bytes: Buffer },
): FastifyReply =>
  reply.type(mediaTypes[format]).header('content-disposition', `attachment; filename="${name}"`).send(bytes);

const kindView = ({ name, title, columns }: SheetKind, language: Language) => ({
  kind: name,
  title: inLanguage(title, language),
  columns: columns.map((column) => ({
    name: column.name,
    header: headerOf(column, language),
    required: column.required ?? false,
  })),
});

const batchView = ({ id, kind, file, at, added, changed, undoneAt }: Batch) => ({
  ...{ id, kind, file, at: at.toISOString(), add: added, change: changed },
  undoneAt: undoneAt && undoneAt.toISOString(),
});

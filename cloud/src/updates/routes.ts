import type { KeyObject } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  type GatewayUpdate,
  IdParams,
  type Language,
  LatestUpdate,
  Page,
  Release,
  Rollout,
  RolloutBody,
} from '@parkline/contract';
import { audit } from '../identity/index.ts';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { inLanguage } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import { openRelease } from './release-file.ts';
import { releases, rollouts, type UpdateRow } from './repository.ts';
import { shareOf } from './share.ts';

/** A release is 2 MB today; what is far larger is none. */
const MAX_RELEASE_BYTES = 32 * 1024 * 1024;

export interface UpdateDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  /** Of those who make releases; absent: only gateways check who signed. */
  readonly releaseKeys?: readonly KeyObject[] | undefined;
}

/** Releases of the gateways' program: brought in, rolled out, watched, stopped. */
export const updateRoutes =
  (deps: UpdateDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(releaseRoutes(deps));
    await app.register(rolloutRoutes(deps));

    app.get(
      '/api/gateways/:id/update',
      {
        schema: {
          summary: 'Get the latest update of a gateway',
          params: IdParams,
          response: { 200: LatestUpdate },
        },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        return withActor(deps.db, actor, async (trx) => {
          if (!(await rollouts.hasGateway(trx, actor.accountId, id)))
            throw new AppError('not_found', 'no such gateway', { details: { id } });
          const row = await rollouts.latestOf(trx, actor.accountId, id);
          return { update: row ? updateView(row, request.language) : null };
        });
      },
    );
  };

const releaseRoutes =
  ({ db, now, newId, releaseKeys }: UpdateDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: MAX_RELEASE_BYTES },
      (_request, body, done) => done(null, body),
    );
    app.get(
      '/api/releases',
      {
        schema: { summary: 'List the releases of the gateways’ program', response: { 200: Page(Release) } },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const rows = await withActor(db, actor, (trx) => releases.list(trx, actor.accountId));
        return { items: rows.map(releaseView), next: null };
      },
    );
    app.post(
      '/api/releases',
      {
        schema: {
          summary: 'Bring a release in',
          response: { 201: Release },
          description: 'A release file, as application/octet-stream.',
        },
        config: { permission: 'update.write', fresh: true, takes: ['application/octet-stream'] },
        bodyLimit: MAX_RELEASE_BYTES,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { body } = request;
        if (!Buffer.isBuffer(body)) throw new AppError('unsupported_media', 'no release file came');
        const opened = openRelease(body, releaseKeys);
        if (!opened.ok)
          throw new AppError('bad_input', `release refused: ${opened.why}`, {
            details: { why: opened.why },
          });
        const row = await withActor(db, actor, async (trx) => {
          const at = now();
          const add = { id: newId(), accountId, uploadedAt: at, uploadedBy: personId };
          const { id, isNew } = await releases.add(trx, add, opened.release);
          const { version } = opened.release.manifest;
          const { manifestSha256 } = opened.release;
          if (isNew)
            await audit(trx, {
              ...{ accountId, at, personId, action: 'release.uploaded', subjectId: id, ip: request.ip },
              details: { version, manifestSha256 },
            });
          return (await releases.find(trx, accountId, id))!;
        });
        return reply.code(201).send(releaseView(row));
      },
    );
  };

const rolloutRoutes =
  ({ db, now, newId }: UpdateDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/rollouts',
      {
        schema: { summary: 'List the roll-outs, newest first', response: { 200: Page(Rollout) } },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const items = await withActor(db, actor, (trx) => views(trx, actor.accountId, request.language));
        return { items, next: null };
      },
    );
    app.post(
      '/api/rollouts',
      {
        schema: { summary: 'Roll a release out to gateways', body: RolloutBody, response: { 201: Rollout } },
        config: { permission: 'update.write', fresh: true },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const id = newId();
        const made = await withActor(db, actor, async (trx) => {
          const { releaseId, url = null } = request.body;
          const release = await releases.find(trx, accountId, releaseId);
          if (!release) throw new AppError('not_found', 'no such release', { details: { id: releaseId } });
          const chosen = await chosenGateways(trx, accountId, request.body);
          const at = now();
          const row = { id, accountId, releaseId, url, createdAt: at, createdBy: personId };
          await rollouts.begin(trx, row, chosen, newId);
          await audit(trx, {
            ...{ accountId, at, personId, action: 'rollout.started', subjectId: id, ip: request.ip },
            details: { version: release.version, gateways: chosen },
          });
          return views(trx, accountId, request.language, id);
        });
        return reply.code(201).send(made[0]!);
      },
    );
    app.post(
      '/api/rollouts/:id/stop',
      {
        schema: {
          summary: 'Stop a roll-out where it is not carried out yet',
          params: IdParams,
          response: { 200: Rollout },
        },
        config: { permission: 'update.write', fresh: true },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        const stopped = await withActor(db, actor, async (trx) => {
          const at = now();
          if (await rollouts.stop(trx, accountId, id, at))
            await audit(trx, {
              ...{ accountId, at, personId, action: 'rollout.stopped', subjectId: id, ip: request.ip },
            });
          return views(trx, accountId, request.language, id);
        });
        if (!stopped[0]) throw new AppError('not_found', 'no such rollout', { details: { id } });
        return stopped[0];
      },
    );
  };

/** @throws AppError 'bad_input' when neither or both are said, 'not_found' for a gateway that is not there. */
async function chosenGateways(
  trx: Db,
  accountId: string,
  { gatewayIds, share, releaseId }: RolloutBody,
): Promise<string[]> {
  if ((gatewayIds === undefined) === (share === undefined))
    throw badField('body.gatewayIds', {
      en: 'name gateways, or give a share of all of them',
      zh: '请指明网关，或给出占全部网关的比例，二者选一',
    });
  if (share !== undefined) {
    const all = await rollouts.gateways(trx, accountId);
    if (all.length === 0)
      throw new AppError('conflict', 'no gateway is set up', { details: { why: 'none' } });
    return shareOf(
      releaseId,
      all.map(({ id }) => id),
      share,
    );
  }
  const seen = new Set((await rollouts.seen(trx, accountId, gatewayIds ?? [])).map(({ id }) => id));
  const missing = gatewayIds?.find((id) => !seen.has(id));
  if (missing !== undefined) throw new AppError('not_found', 'no such gateway', { details: { id: missing } });
  return gatewayIds ?? [];
}

async function views(trx: Db, accountId: string, language: Language, only?: string): Promise<Rollout[]> {
  const rows = (await rollouts.list(trx, accountId)).filter(({ id }) => only === undefined || id === only);
  const updates = await rollouts.updates(
    trx,
    accountId,
    rows.map(({ id }) => id),
  );
  const byRollout = Map.groupBy(updates, ({ rolloutId }) => rolloutId);
  return rows.map(({ createdAt, stoppedAt, ...row }) => ({
    ...row,
    createdAt: createdAt.toISOString(),
    stoppedAt: stoppedAt?.toISOString() ?? null,
    gateways: (byRollout.get(row.id) ?? []).map((update) => updateView(update, language)),
  }));
}

const updateView = (
  { key, name, chunks, chunksSent, changedAt, ...row }: UpdateRow,
  language: Language,
): GatewayUpdate => ({
  ...row,
  ...{ gatewayKey: key, gatewayName: inLanguage(name, language) },
  sent: Math.min(1, chunksSent / chunks),
  changedAt: changedAt.toISOString(),
});

const releaseView = ({
  packBytes,
  madeAt,
  uploadedAt,
  ...row
}: Awaited<ReturnType<typeof releases.list>>[number]): Release => ({
  ...row,
  packBytes: Number(packBytes),
  madeAt: madeAt.toISOString(),
  uploadedAt: uploadedAt.toISOString(),
});

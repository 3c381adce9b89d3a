import './tables.ts';
import type { UpdateState } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { OpenedRelease } from './release-file.ts';

const releaseColumns = [
  'id',
  'version',
  'platforms',
  'manifestSha256',
  'packBytes',
  'madeAt',
  'uploadedAt',
] as const;

/** Nothing more will come of it. */
const endedStates: readonly UpdateState[] = [
  'kept',
  'rolled_back',
  'refused',
  'failed',
  'stopped',
  'overtaken',
];

export const releases = {
  list: (db: Db, accountId: string) =>
    db
      .selectFrom('release')
      .select(releaseColumns)
      .where('accountId', '=', accountId)
      .orderBy('uploadedAt', 'desc')
      .limit(100)
      .execute(),

  find: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('release')
      .select(releaseColumns)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),

  /** @returns the id of the release that holds the same manifest: the one added, or the one that was there. */
  async add(
    trx: Db,
    row: { id: string; accountId: string; uploadedAt: Date; uploadedBy: string },
    { signed, manifest, manifestSha256, chunks }: OpenedRelease,
  ): Promise<{ id: string; isNew: boolean }> {
    const added = await trx
      .insertInto('release')
      .values({
        ...row,
        ...{ version: manifest.version, platforms: manifest.platforms, manifest: signed.body },
        ...{ signature: signed.sig, manifestSha256, packSha256: manifest.pack.sha256 },
        ...{ packBytes: String(manifest.pack.bytes), chunks: chunks.length },
        madeAt: new Date(manifest.madeAt),
      })
      .onConflict((conflict) => conflict.columns(['accountId', 'manifestSha256']).doNothing())
      .returning('id')
      .executeTakeFirst();
    if (!added) {
      const { id } = await trx
        .selectFrom('release')
        .select('id')
        .where('accountId', '=', row.accountId)
        .where('manifestSha256', '=', manifestSha256)
        .executeTakeFirstOrThrow();
      return { id, isNew: false };
    }
    const { id: releaseId, accountId } = row;
    for (const [n, bytes] of chunks.entries())
      await trx.insertInto('releaseChunk').values({ accountId, releaseId, n, bytes }).execute();
    return { id: releaseId, isNew: true };
  },
};

const updatesOf = (db: Db, accountId: string) =>
  db
    .selectFrom('gatewayUpdate as u')
    .innerJoin('gateway as g', 'g.id', 'u.gatewayId')
    .innerJoin('rollout as o', 'o.id', 'u.rolloutId')
    .innerJoin('release as r', 'r.id', 'o.releaseId')
    .select(['u.rolloutId', 'u.gatewayId', 'g.key', 'g.name', 'r.version', 'r.chunks'])
    .select(['u.state', 'u.why', 'u.chunksSent', 'u.changedAt'])
    .where('u.accountId', '=', accountId);

export type UpdateRow = Awaited<ReturnType<ReturnType<typeof updatesOf>['execute']>>[number];

export const rollouts = {
  list: (db: Db, accountId: string) =>
    db
      .selectFrom('rollout as o')
      .innerJoin('release as r', 'r.id', 'o.releaseId')
      .select(['o.id', 'o.releaseId', 'r.version', 'o.state', 'o.createdAt', 'o.stoppedAt'])
      .where('o.accountId', '=', accountId)
      .orderBy('o.id', 'desc')
      .limit(50)
      .execute(),

  updates: (db: Db, accountId: string, rolloutIds: readonly string[]) =>
    rolloutIds.length === 0
      ? Promise.resolve([])
      : updatesOf(db, accountId).where('u.rolloutId', 'in', rolloutIds).orderBy('g.key').execute(),

  latestOf: (db: Db, accountId: string, gatewayId: string) =>
    updatesOf(db, accountId).where('u.gatewayId', '=', gatewayId).orderBy('u.id', 'desc').executeTakeFirst(),

  hasGateway: async (db: Db, accountId: string, id: string): Promise<boolean> =>
    (await db
      .selectFrom('gateway')
      .select('id')
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst()) !== undefined,

  /** The gateways of the account that have keys and may run: what a share is counted of. */
  gateways: (db: Db, accountId: string) =>
    db
      .selectFrom('gateway')
      .select('id')
      .where('accountId', '=', accountId)
      .where('publicKey', 'is not', null)
      .where('revokedAt', 'is', null)
      .execute(),

  /** Which of these the actor sees. */
  seen: (db: Db, accountId: string, ids: readonly string[]) =>
    db
      .selectFrom('gateway')
      .select('id')
      .where('accountId', '=', accountId)
      .where('id', 'in', ids)
      .where('revokedAt', 'is', null)
      .execute(),

  /** Begins a rollout; what was still open for these gateways is overtaken. */
  async begin(
    trx: Db,
    row: {
      id: string;
      accountId: string;
      releaseId: string;
      url: string | null;
      createdAt: Date;
      createdBy: string;
    },
    gatewayIds: readonly string[],
    newId: () => string,
  ): Promise<void> {
    const { accountId, id: rolloutId, createdAt: changedAt } = row;
    await trx
      .insertInto('rollout')
      .values({ ...row, state: 'running', stoppedAt: null })
      .execute();
    await trx
      .updateTable('gatewayUpdate')
      .set({ state: 'overtaken', changedAt })
      .where('accountId', '=', accountId)
      .where('gatewayId', 'in', gatewayIds)
      .where('state', 'not in', [...endedStates, 'applied'])
      .execute();
    const nothing = { why: null, offeredAt: null, changedAt };
    await trx
      .insertInto('gatewayUpdate')
      .values(
        gatewayIds.map((gatewayId) => ({
          ...{ id: newId(), accountId, rolloutId, gatewayId, state: 'waiting' as const, ...nothing },
        })),
      )
      .execute();
  },

  /** What was not sent is not sent; what was sent is taken back. False: there is no such rollout, or it is stopped already. */
  async stop(trx: Db, accountId: string, id: string, at: Date): Promise<boolean> {
    const { numUpdatedRows } = await trx
      .updateTable('rollout')
      .set({ state: 'stopped', stoppedAt: at })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .where('state', '=', 'running')
      .executeTakeFirst();
    await sql`update gateway_update set changed_at = ${at},
        state = case state when 'waiting' then 'stopped' else 'stopping' end
      where account_id = ${accountId} and rollout_id = ${id} and state in ('waiting', 'sent')`.execute(trx);
    return numUpdatedRows === 1n;
  },
};

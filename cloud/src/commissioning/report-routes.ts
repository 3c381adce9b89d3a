import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CommissioningReport,
  IdParams,
  type Language,
  Page,
  ReportBody,
  type ReportContent,
  SignBody,
  type SignedReport,
} from '@parkline/contract';
import { audit, people } from '../identity/index.ts';
import { type Actor, actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { jobs } from '../platform/jobs.ts';
import { keepRatio } from './check.ts';
import { gatewayNamed, type MeterRow, meters, reports } from './repository.ts';
import { PAPER_TASK } from './paper.ts';
import type { CommissioningDeps } from './routes.ts';
import { iso, numberOf, reportView } from './view.ts';

/** Who may sign as what. */
const signers = { installer: ['installer'], engineer: ['facility_engineer', 'account_admin'] } as const;

/** Reports: fixed when they are made, signed by the installer and an engineer, then drawn and sealed. */
export const reportRoutes =
  (deps: CommissioningDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId } = deps;
    await app.register(fileRoutes(deps));
    app.get(
      '/api/commissioning-reports',
      {
        schema: { summary: 'List the commissioning reports', response: { 200: Page(CommissioningReport) } },
        config: { permission: 'commissioning.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const items = await withActor(db, actor, (trx) => views(trx, actor.accountId, request.language));
        return { items, next: null };
      },
    );
    app.post(
      '/api/commissioning-reports',
      {
        schema: {
          summary: 'Make a report on the meters of a gateway',
          body: ReportBody,
          response: { 201: CommissioningReport },
        },
        config: { permission: 'commissioning.write' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const made = await withActor(db, actor, async (trx) => {
          const [id, at, seq] = [newId(), now(), await reports.nextSeq(trx, accountId)];
          const content = await contentOf(trx, accountId, request.body.gatewayId, { at, seq });
          const row = { id, accountId, gatewayId: request.body.gatewayId, seq, createdAt: at };
          await trx
            .insertInto('commissioningReport')
            .values({ ...row, createdBy: personId, content: JSON.stringify(content) })
            .execute();
          await audit(trx, {
            ...{ accountId, at, personId, action: 'commissioning.reported', subjectId: id, ip: request.ip },
            details: { number: numberOf(seq), meters: content.meters.length },
          });
          return views(trx, accountId, request.language, id);
        });
        return reply.code(201).send(made[0]!);
      },
    );
    app.post(
      '/api/commissioning-reports/:id/sign',
      {
        schema: {
          summary: 'Sign a report',
          params: IdParams,
          body: SignBody,
          response: { 200: CommissioningReport },
        },
        config: { permission: 'commissioning.write', fresh: true },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        return withActor(db, actor, async (trx) => {
          await sign(trx, deps, actor, { id, as: request.body.as, ip: request.ip });
          return (await views(trx, actor.accountId, request.language, id))[0]!;
        });
      },
    );
  };

const fileRoutes =
  ({ db }: CommissioningDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const sealed = async (actor: Actor, id: string) => {
      const file = await withActor(db, actor, (trx) => reports.file(trx, actor.accountId, id));
      if (!file) throw new AppError('not_found', 'no such report', { details: { id } });
      const { seq, pdf, proof, signature, publicKey } = file;
      if (!pdf || !proof || !signature || !publicKey)
        throw new AppError('not_sealed', 'not signed by both yet, or not sealed yet', {
          details: { why: 'not_sealed' },
        });
      return { number: numberOf(seq), pdf, proof, signature, publicKey };
    };
    app.get(
      '/api/commissioning-reports/:id/pdf',
      {
        schema: {
          summary: 'Download a sealed report on paper',
          params: IdParams,
          description: 'The report on paper.',
        },
        config: { permission: 'commissioning.read', gives: ['application/pdf'] },
      },
      async (request, reply) => {
        const { number, pdf } = await sealed(actorOf(request), request.params.id);
        return reply
          .type('application/pdf')
          .header('content-disposition', `attachment; filename="${number}.pdf"`)
          .send(pdf);
      },
    );
    app.get(
      '/api/commissioning-reports/:id/file',
      {
        schema: {
          summary: 'Download a sealed report with its seal',
          params: IdParams,
          description: 'Report, paper and seal: what `parkline commissioning verify` reads.',
        },
        config: { permission: 'commissioning.read', gives: ['application/json'] },
      },
      async (request, reply) => {
        const { number, pdf, proof, signature, publicKey } = await sealed(
          actorOf(request),
          request.params.id,
        );
        const file: SignedReport = { body: proof, sig: signature, publicKey, pdf: pdf.toString('base64') };
        return reply
          .type('application/json')
          .header('content-disposition', `attachment; filename="${number}.signed.json"`)
          .send(JSON.stringify(file));
      },
    );
  };

async function sign(
  trx: Db,
  deps: CommissioningDeps,
  { accountId, personId, roles, secondFactor }: Actor,
  { id, as, ip }: { id: string; as: 'installer' | 'engineer'; ip: string },
): Promise<void> {
  const { now, newId } = deps;
  const report = await reports.find(trx, accountId, id);
  if (!report) throw new AppError('not_found', 'no such report', { details: { id } });
  if (!roles.some((role) => (signers[as] as readonly string[]).includes(role)))
    throw new AppError('forbidden', `not an ${as}`, { details: { why: as } });
  const before = await reports.signatures(trx, accountId, [id]);
  const why = before.some(({ signedAs }) => signedAs === as)
    ? 'already_signed'
    : before.some((one) => one.personId === personId) && 'same_person';
  if (why) throw new AppError('conflict', `not signed: ${why}`, { details: { why } });
  const at = now();
  const me = await people.find(trx, accountId, personId);
  const factor = secondFactor?.kinds.join('+') ?? '';
  await trx
    .insertInto('commissioningSignature')
    .values({ accountId, reportId: id, signedAs: as, personId, personName: me?.name ?? '', at, factor })
    .execute();
  await audit(trx, {
    ...{ accountId, at, personId, action: 'commissioning.signed', subjectId: id, ip },
    details: { as },
  });
  if (before.length === 0) return;
  await jobs.enqueue(trx, newId, { accountId, task: PAPER_TASK, key: id, dueAt: at });
  await keepRatios(trx, accountId, report, deps);
}

/** What two people signed is what metering multiplies by. */
async function keepRatios(
  trx: Db,
  accountId: string,
  { gatewayId, content }: { readonly gatewayId: string; readonly content: ReportContent },
  deps: CommissioningDeps,
): Promise<void> {
  const points = new Map(
    (await meters.list(trx, { gatewayId })).map(({ equipmentId, pointId }) => [equipmentId, pointId]),
  );
  for (const { equipmentId, ctRatio, ptRatio, ratioApplied, readings } of content.meters) {
    const [pointId, first] = [points.get(equipmentId), readings[0]];
    if (!pointId || !first) continue;
    await keepRatio(
      trx,
      accountId,
      { pointId, ctRatio, ptRatio, ratioApplied, readAt: new Date(first.at) },
      deps,
    );
  }
}

/**
 * What a report says, from what is written down at this moment.
 * @throws AppError 'not_found' without such a gateway, 'conflict' naming the meters that are not proven, or have no photo.
 */
async function contentOf(
  trx: Db,
  accountId: string,
  gatewayId: string,
  { at, seq }: { at: Date; seq: number },
): Promise<ReportContent> {
  const gateway = await gatewayNamed(trx, gatewayId);
  if (!gateway) throw new AppError('not_found', 'no such gateway', { details: { id: gatewayId } });
  const rows = await meters.list(trx, { gatewayId });
  const refuse = (why: string, which: readonly MeterRow[]): void => {
    if (which.length === 0) return;
    const keys = which.map(({ equipmentKey }) => equipmentKey);
    throw new AppError('conflict', `no report: ${why}`, { details: { why, meters: keys } });
  };
  if (rows.length === 0) throw new AppError('conflict', 'no meter here', { details: { why: 'no_meters' } });
  refuse(
    'not_proven',
    rows.filter(({ state }) => state !== 'passed' && state !== 'waived'),
  );
  refuse(
    'no_photo',
    rows.filter(({ state, photoId }) => state === 'passed' && photoId == null),
  );
  const hashes = await photoHashes(trx, accountId, rows);
  return {
    ...{ format: 'parkline-commissioning-1', number: numberOf(seq), createdAt: at.toISOString() },
    ...{ account: gateway.accountName, site: gateway.siteName, timezone: gateway.timezone },
    gateway: { id: gateway.id, key: gateway.key, name: gateway.name },
    meters: rows.map((row) => lineOf(row, hashes)),
  };
}

const lineOf = (row: MeterRow, photos: ReadonlyMap<string, string>): ReportContent['meters'][number] => ({
  ...{ equipmentId: row.equipmentId, key: row.equipmentKey, name: row.equipmentName },
  ...{ serial: row.serial ?? null, ctRatio: row.ctRatio ?? null, ptRatio: row.ptRatio ?? null },
  ...{ ratioApplied: row.ratioApplied ?? null, point: row.pointName.en, unit: row.unit },
  ...{ state: row.state ?? 'open', readings: row.checks ?? [] },
  photoSha256: (row.photoId != null && photos.get(row.photoId)) || null,
  ...{ recordedBy: row.recordedByName, recordedAt: iso(row.recordedAt) },
  ...{ waivedBy: row.waivedByName, waiveReason: row.waiveReason ?? null },
});

async function photoHashes(
  trx: Db,
  accountId: string,
  rows: readonly MeterRow[],
): Promise<Map<string, string>> {
  const ids = rows.flatMap(({ photoId }) => photoId ?? []);
  if (ids.length === 0) return new Map();
  const found = await trx
    .selectFrom('file')
    .select(['id', 'sha256'])
    .where('accountId', '=', accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(found.map(({ id, sha256 }) => [id, sha256.toString('hex')]));
}

async function views(
  trx: Db,
  accountId: string,
  language: Language,
  only?: string,
): Promise<CommissioningReport[]> {
  const all = await reports.list(trx, accountId);
  const rows = only === undefined ? all : all.filter(({ id }) => id === only);
  const signatures = await reports.signatures(
    trx,
    accountId,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => reportView(row, signatures, language));
}

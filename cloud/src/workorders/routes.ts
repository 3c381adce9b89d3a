import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CancelBody,
  DispatchBody,
  FinishBody,
  IdParams,
  ListQuery,
  OrderStepBody,
  Page,
  Technician,
  WorkOrder,
  WorkOrderDetail,
  WorkOrderQuery,
  WorkOrderSettings,
  WorkOrderSettingsView,
} from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import { audit, people } from '../identity/index.ts';
import { type Actor, actorOf } from '../platform/access.ts';
import { notifyChanged } from '../platform/changes.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import { pageOf } from '../platform/pages.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { choose, type DispatchReason } from './dispatch.ts';
import { accept, cancel, dispatch, finish, type Outcome, start } from './domain.ts';
import { photoRoutes } from './photo-routes.ts';
import { historyView, orderView } from './present.ts';
import { type LockedOrder, workOrders } from './repository.ts';
import { seen, sightOf } from './sight.ts';
import { settle } from './steps.ts';
import type { OrderEvent } from './tables.ts';

export interface WorkOrderDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
}

/** What a step decides, with what is told of it. */
type Decided = Outcome & { readonly event: OrderEvent; readonly reason?: DispatchReason };

/** Work orders, their steps, and who can be sent. */
export const workOrderRoutes =
  (deps: WorkOrderDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId } = deps;
    await app.register(readRoutes(deps));
    await app.register(photoRoutes(deps));

    /** Load, decide, save, answer. @throws AppError 'not_found', or 'conflict' with `why`. */
    async function step(
      request: FastifyRequest<{ Params: { id: string }; Body: { version: number } }>,
      decide: (order: LockedOrder, trx: Db, at: Date) => Decided | Promise<Decided>,
    ): Promise<WorkOrder> {
      const actor = actorOf(request);
      const { accountId, personId } = actor;
      const { id } = request.params;
      const row = await withActor(db, actor, async (trx) => {
        await seen(trx, actor, id);
        const before = (await workOrders.lock(trx, accountId, id))!;
        if (before.version !== request.body.version) throw conflict('changed', id);
        const at = now();
        const decided = await decide(before, trx, at);
        if (!decided.ok) throw conflict(decided.why, id);
        const { order: after, event, reason } = decided;
        await settle(trx, newId, { before, after, event, personId, at, ...(reason && { reason }) });
        const deed = { accountId, at, personId, subjectId: id, ip: request.ip };
        await audit(trx, { ...deed, action: `workorder.${event.what}` });
        return workOrders.find(trx, { accountId, onlyOf: null }, id);
      });
      request.log.info({ orderId: id, personId, state: row!.state }, 'work order changed');
      return orderView(row!, request.language);
    }

    const stepSchema = <T>(body: T) => ({ params: IdParams, body, response: { 200: WorkOrder } });
    const working = { permission: 'workorder.work' };

    app.post(
      '/api/work-orders/:id/dispatch',
      {
        schema: { summary: 'Give a work order to a technician', ...stepSchema(DispatchBody) },
        config: { permission: 'workorder.dispatch' },
      },
      (request) =>
        step(request, async (order, trx, at) => {
          const { technicianId } = request.body;
          const chosen = await choiceFor(trx, order, technicianId, actorOf(request));
          const acceptWithinMs = (await workOrders.settings(trx, order.accountId)).acceptWithinMin * 60_000;
          const outcome = dispatch(order, chosen.technicianId, at, acceptWithinMs);
          return { ...outcome, event: { what: 'dispatched', facts: chosen.reason }, reason: chosen.reason };
        }),
    );

    app.post(
      '/api/work-orders/:id/accept',
      { schema: { summary: 'Accept a work order', ...stepSchema(OrderStepBody) }, config: working },
      (request) =>
        step(request, async (order, trx, at) => {
          const { accountId, personId } = actorOf(request);
          const outcome = accept(order, personId, at);
          const event = { what: 'accepted', facts: {} } as const;
          if (order.state !== 'waiting') return { ...outcome, event };
          const me = await people.find(trx, accountId, personId);
          return { ...outcome, event, reason: { how: 'taken', name: me?.name ?? '' } };
        }),
    );

    app.post(
      '/api/work-orders/:id/start',
      { schema: { summary: 'Start a work order', ...stepSchema(OrderStepBody) }, config: working },
      (request) =>
        step(request, (order, _trx, at) => ({
          ...start(order, actorOf(request).personId, at),
          event: { what: 'started', facts: {} },
        })),
    );

    app.post(
      '/api/work-orders/:id/finish',
      { schema: { summary: 'Finish a work order', ...stepSchema(FinishBody) }, config: working },
      (request) =>
        step(request, async (order, trx, at) => {
          const { personId } = actorOf(request);
          const note = request.body.note ?? null;
          const taken = await workOrders.photos(trx, order.accountId, order.id);
          const photos = new Set(taken.map(({ kind }) => kind));
          const event = { what: 'finished', facts: { note } } as const;
          return { ...finish(order, { personId, now: at, photos, note }), event };
        }),
    );

    app.post(
      '/api/work-orders/:id/cancel',
      {
        schema: { summary: 'Cancel a work order', ...stepSchema(CancelBody) },
        config: { permission: 'workorder.cancel' },
      },
      (request) =>
        step(request, (order, _trx, at) => ({
          ...cancel(order, request.body.note, at),
          event: { what: 'cancelled', facts: { note: request.body.note } },
        })),
    );
  };

const conflict = (why: string, id: string): AppError =>
  new AppError('conflict', `order refuses the step: ${why}`, { details: { why, id } });

/** The technician named, or the best one. @throws AppError 'bad_input' for somebody who is no technician, 'conflict' when nobody fits. */
async function choiceFor(trx: Db, order: LockedOrder, technicianId: string | undefined, actor: Actor) {
  const all = await workOrders.technicians(trx, order.accountId);
  if (technicianId === undefined) {
    const best = choose(all, order);
    if (best.technicianId === null) throw conflict('nobody_fits', order.id);
    return { technicianId: best.technicianId, reason: best.reason };
  }
  const named = all.find(({ id }) => id === technicianId);
  if (!named)
    throw badField('body.technicianId', {
      en: 'must be a technician of this account',
      zh: '须为本账户的技术员',
    });
  const me = await people.find(trx, actor.accountId, actor.personId);
  const reason: DispatchReason = { how: 'person', name: named.name, person: me?.name ?? '' };
  return { technicianId, reason };
}

const readRoutes =
  ({ db, now }: WorkOrderDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const reading = { permission: 'workorder.read' };

    app.get(
      '/api/work-orders',
      {
        schema: {
          summary: 'List the work orders',
          querystring: WorkOrderQuery,
          response: { 200: Page(WorkOrder) },
        },
        config: reading,
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, ...query } = request.query;
        // One more than asked for tells whether there is a next page.
        const page = { ...query, limit: limit + 1 };
        const rows = await withActor(db, actor, (trx) => workOrders.page(trx, sightOf(actor), page));
        const items = rows.slice(0, limit).map((row) => orderView(row, request.language));
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );

    app.get(
      '/api/work-orders/:id',
      {
        schema: {
          summary: 'Get a work order with its steps',
          params: IdParams,
          response: { 200: WorkOrderDetail },
        },
        config: reading,
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const { row, history } = await withActor(db, actor, async (trx) => ({
          row: await seen(trx, actor, id),
          history: await workOrders.history(trx, actor.accountId, id),
        }));
        const { language } = request;
        return {
          ...orderView(row, language),
          history: history.map((one) => historyView(one, row, language)),
        };
      },
    );

    app.get(
      '/api/technicians',
      {
        schema: {
          summary: 'List the technicians with what they have to do',
          querystring: ListQuery,
          response: { 200: Page(Technician) },
        },
        config: { permission: 'workorder.dispatch' },
      },
      async (request) => {
        const actor = actorOf(request);
        const items = await withActor(db, actor, (trx) => workOrders.technicians(trx, actor.accountId));
        return pageOf(items as Technician[], request.query, ({ id }) => id);
      },
    );

    app.get(
      '/api/work-order-settings',
      {
        schema: { summary: 'Get how work orders are dispatched', response: { 200: WorkOrderSettingsView } },
        config: reading,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const settings = await withActor(db, actor, (trx) => workOrders.settings(trx, actor.accountId));
        etag(reply, settings.version);
        return settings;
      },
    );

    app.put(
      '/api/work-order-settings',
      {
        schema: {
          summary: 'Set how work orders are dispatched',
          body: WorkOrderSettings,
          response: { 200: WorkOrderSettingsView },
        },
        config: { permission: 'setting.write' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const [after, version] = [request.body, ifMatch(request)];
        await withActor(db, actor, async (trx) => {
          const { acceptWithinMin } = await workOrders.settings(trx, accountId);
          if (!(await workOrders.saveSettings(trx, accountId, version, after)))
            throw staleEdit(await workOrders.settings(trx, accountId));
          const deed = { accountId, at: now(), personId, ip: request.ip };
          await audit(trx, { ...deed, action: 'setting.set', before: { acceptWithinMin }, after });
          await notifyChanged(trx, accountId, 'settings');
        });
        etag(reply, version + 1);
        return { ...after, version: version + 1 };
      },
    );
  };

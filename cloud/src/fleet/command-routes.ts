import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CommandBody,
  CommandQuery,
  type CommandState,
  CommandView,
  IdParams,
  type Language,
  Page,
} from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import { people } from '../identity/index.ts';
import { type Actor, actorOf } from '../platform/access.ts';
import { notifyChanged } from '../platform/changes.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badFields } from '../platform/errors.ts';
import { inLanguage, wordsIn } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import { auditCommand } from './command-audit.ts';
import {
  approvable,
  cancellable,
  type Order,
  order,
  SEND_WITHIN_MS,
  type StepFault,
} from './command-domain.ts';
import { type CommandRecord, type CommandRow, commands } from './command-repository.ts';

export interface CommandDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
}

/** Orders to write a point: who asks, who approves, what became of it. */
export const commandRoutes =
  (deps: CommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId } = deps;
    await app.register(readRoutes(deps));
    await app.register(stepRoutes(deps));

    app.post(
      '/api/points/:id/commands',
      {
        schema: {
          summary: 'Order a value to be written to a point',
          params: IdParams,
          body: CommandBody,
          response: { 201: CommandView },
        },
        config: { permission: 'command.write', fresh: true },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const id = newId();
        const row = await withActor(db, actor, async (trx) => {
          const at = now();
          const command = await ordered(trx, request, id, at);
          await commands.insert(trx, command);
          const { value, holdS, safety, reason } = command;
          const deed = { ...deedOf(command, request.ip, at), details: { value, holdS, safety, reason } };
          await auditCommand(trx, { ...deed, action: 'requested', person: personOf(command) });
          await notifyChanged(trx, accountId, 'commands');
          return commands.find(trx, accountId, id);
        });
        request.log.info({ commandId: id, personId: actor.personId, state: row!.state }, 'command requested');
        return reply.code(201).send(commandView(row!, request.language));
      },
    );
  };

/** @throws AppError 'not_found', 'conflict' for a read-only point, 'bad_input' naming the field. */
async function ordered(
  trx: Db,
  request: FastifyRequest<{ Params: { id: string }; Body: CommandBody }>,
  id: string,
  at: Date,
): Promise<CommandRecord> {
  const { accountId, personId } = actorOf(request);
  const { value, reason } = request.body;
  const point = await commands.point(trx, accountId, request.params.id);
  if (!point) throw new AppError('not_found', 'no such point', { details: { id: request.params.id } });
  const wished = order(point, request.body, at);
  if (!wished.ok) throw refusal(wished);
  const me = await people.find(trx, accountId, personId);
  const { id: pointId, equipmentId, gatewayId } = point;
  return {
    ...nothingYet,
    ...{ id, accountId, pointId, equipmentId, gatewayId, value, reason: reason.trim() },
    ...wished.ordered,
    ...{ actorId: personId, actorName: me?.name ?? '', requestedAt: at },
  };
}

const nothingYet = {
  approverId: null,
  approverName: null,
  decidedAt: null,
  sentAt: null,
  expiresAt: null,
  outcome: null,
  beforeValue: null,
  afterValue: null,
  why: null,
  endedAt: null,
  heldUntil: null,
  releasedAt: null,
};

function refusal({ code, field, message }: Order & { readonly ok: false }): AppError {
  if (field === undefined) return new AppError('conflict', message.en, { details: { why: code } });
  const fault = { field, message, code };
  return badFields([fault]);
}

const personOf = ({ actorId, actorName }: CommandRecord) => ({ id: actorId, name: actorName });

const deedOf = (
  { accountId, id, pointId }: Pick<CommandRecord, 'accountId' | 'id' | 'pointId'>,
  ip: string,
  at: Date,
) => ({
  ...{ accountId, commandId: id, pointId, ip, at },
});

const readRoutes =
  ({ db }: CommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { permission: 'command.read' };
    app.get(
      '/api/commands',
      {
        schema: {
          summary: 'List the commands, newest first',
          querystring: CommandQuery,
          response: { 200: Page(CommandView) },
        },
        config,
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, ...filter } = request.query;
        const page = { ...filter, limit: limit + 1 };
        const rows = await withActor(db, actor, (trx) => commands.page(trx, actor.accountId, page));
        const items = rows.slice(0, limit).map((row) => commandView(row, request.language));
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );

    app.get(
      '/api/commands/:id',
      { schema: { summary: 'Get a command', params: IdParams, response: { 200: CommandView } }, config },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const row = await withActor(db, actor, (trx) => commands.find(trx, actor.accountId, id));
        if (!row) throw noSuchCommand(id);
        return commandView(row, request.language);
      },
    );
  };

type Locked = NonNullable<Awaited<ReturnType<typeof commands.lock>>>;

/** What a person decides about a command that waits. */
interface Step {
  readonly summary: string;
  readonly action: 'approved' | 'rejected' | 'cancelled';
  readonly permission: string;
  readonly fault: (command: Locked, personId: string) => StepFault | undefined;
  readonly change: (by: { id: string; name: string }, at: Date) => Partial<CommandRecord>;
}

const over = (state: CommandState) => (_by: unknown, at: Date) => ({ state, dueAt: null, endedAt: at });

const steps: Readonly<Record<string, Step>> = {
  approve: {
    summary: 'Approve a command',
    action: 'approved',
    permission: 'command.approve',
    fault: (command, personId) => approvable(command, personId),
    change: ({ id, name }, at) => ({
      ...{ state: 'queued', approverId: id, approverName: name },
      dueAt: new Date(at.getTime() + SEND_WITHIN_MS),
    }),
  },
  reject: {
    summary: 'Reject a command',
    action: 'rejected',
    permission: 'command.approve',
    fault: ({ state }) => (state === 'awaiting_approval' ? undefined : 'state'),
    change: over('rejected'),
  },
  cancel: {
    summary: 'Cancel a command that nobody decided on yet',
    action: 'cancelled',
    permission: 'command.write',
    fault: (command) => cancellable(command),
    change: over('cancelled'),
  },
};

const stepRoutes =
  ({ db, now }: CommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    for (const [name, step] of Object.entries(steps))
      app.post(
        `/api/commands/:id/${name}`,
        {
          schema: { summary: step.summary, params: IdParams, response: { 200: CommandView } },
          config: { permission: step.permission, fresh: true },
        },
        async (request) => {
          const actor = actorOf(request);
          const { id } = request.params;
          const at = now();
          const row = await withActor(db, actor, (trx) => take(trx, actor, step, { id, at, ip: request.ip }));
          request.log.info({ commandId: id, personId: actor.personId, state: row.state }, 'command decided');
          return commandView(row, request.language);
        },
      );
  };

/** @throws AppError 'not_found'; 'conflict' when it waits no more; 'forbidden' for the person who asked. */
async function take(
  trx: Db,
  { accountId, personId }: Actor,
  step: Step,
  { id, at, ip }: { readonly id: string; readonly at: Date; readonly ip: string },
): Promise<CommandRow> {
  const command = await commands.lock(trx, accountId, id);
  if (!command) throw noSuchCommand(id);
  const why = step.fault(command, personId);
  if (why)
    throw new AppError(why === 'state' ? 'conflict' : 'forbidden', `command: ${why}`, { details: { why } });
  const person = { id: personId, name: (await people.find(trx, accountId, personId))?.name ?? '' };
  await commands.update(trx, accountId, id, { ...step.change(person, at), decidedAt: at });
  await auditCommand(trx, { ...deedOf({ ...command, accountId }, ip, at), action: step.action, person });
  await notifyChanged(trx, accountId, 'commands');
  return (await commands.find(trx, accountId, id))!;
}

const noSuchCommand = (id: string): AppError =>
  new AppError('not_found', 'no such command', { details: { id } });

function commandView(row: CommandRow, language: Language): CommandView {
  const iso = (at: Date | null): string | null => at?.toISOString() ?? null;
  const { id, pointId, equipmentId, gatewayId, unit, value, holdS, reason, safety, state, why } = row;
  return {
    ...{ id, pointId, equipmentId, gatewayId, unit, value, holdS, reason, safety, state, why },
    pointName: inLanguage(row.pointName, language),
    decimals: row.decimals,
    ...(row.states && { states: wordsIn(language, row.states) }),
    equipmentName: inLanguage(row.equipmentName, language),
    actor: personOf(row),
    approver: row.approverId === null ? null : { id: row.approverId, name: row.approverName ?? '' },
    requestedAt: row.requestedAt.toISOString(),
    sentAt: iso(row.sentAt),
    endedAt: iso(row.endedAt),
    before: row.beforeValue,
    after: row.afterValue,
    heldUntil: iso(row.heldUntil),
  };
}

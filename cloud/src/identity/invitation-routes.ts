import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams, Invitation, InvitationBody, InvitationQuery, Page } from '@parkline/contract';
import Type from 'typebox';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { happened } from '../platform/events.ts';
import { jobs } from '../platform/jobs.ts';
import { audit } from './audit.ts';
import { type InvitationRow, invitations } from './invitations.ts';
import { INVITATION_TASK } from './letter-jobs.ts';
import { conflict, type Doer, grantRow, isAddress, type PeopleAdmin } from './people-admin.ts';
import { doerOf } from './people-routes.ts';
import { invitationState, invitationView } from './people-view.ts';
import { people } from './repository.ts';

/** How long a link lets somebody in. */
const VALID_MS = 7 * 86_400_000;

const doors = [
  { base: '/api/invitations', into: '', read: 'person.read', write: 'person.write' },
  {
    ...{ base: '/api/my/invitations', into: ' into the own tenant' },
    ...{ read: 'person.tenant', write: 'person.tenant' },
  },
] as const;

/** Who is invited, by whom, and what became of it. */
export const invitationRoutes =
  (admin: PeopleAdmin): FastifyPluginAsyncTypebox =>
  async (app) => {
    for (const door of doors) await app.register(routesAt(admin, door));
  };

function routesAt(
  admin: PeopleAdmin,
  { base, into, read, write }: (typeof doors)[number],
): FastifyPluginAsyncTypebox {
  const config = { permission: write, fresh: true };
  const { db, now } = admin;
  return (app) => {
    app.get(
      base,
      {
        config: { permission: read },
        schema: {
          summary: `List the invitations${into}`,
          querystring: InvitationQuery,
          response: { 200: Page(Invitation) },
        },
      },
      (request) => {
        const doer = doerOf(request);
        const { limit } = request.query;
        return withActor(db, doer.actor, async (trx) => {
          const at = now();
          const query = { ...request.query, limit: limit + 1, at };
          const rows = await invitations.page(trx, doer.actor.accountId, query);
          const shown = rows.slice(0, limit);
          const tenants = await admin.tenantNames(trx, doer, shown);
          const next = rows.length > limit ? (shown.at(-1)?.id ?? null) : null;
          return { items: shown.map((row) => invitationView(row, tenants, at)), next };
        });
      },
    );

    app.post(
      base,
      {
        config,
        schema: { summary: `Invite a person${into}`, body: InvitationBody, response: { 201: Invitation } },
      },
      async (request, reply) => {
        const doer = doerOf(request);
        const made = await withActor(db, doer.actor, (trx) => invite(trx, admin, doer, request.body));
        return reply.code(201).send(made);
      },
    );

    app.post(
      `${base}/:id/resend`,
      {
        config,
        schema: {
          summary: `Send an invitation${into} again`,
          params: IdParams,
          response: { 200: Invitation },
        },
      },
      (request) =>
        withActor(db, doerOf(request).actor, (trx) => resend(trx, admin, doerOf(request), request.params.id)),
    );

    app.post(
      `${base}/:id/revoke`,
      {
        config,
        schema: {
          summary: `Take back an invitation${into}`,
          params: IdParams,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await withActor(db, doerOf(request).actor, (trx) =>
          revoke(trx, admin, doerOf(request), request.params.id),
        );
        return reply.code(204).send(null);
      },
    );
    return Promise.resolve();
  };
}

const post = (trx: Db, { newId }: PeopleAdmin, id: string, at: Date): Promise<void> =>
  invitations.post(trx, newId(), id, at);

async function invite(trx: Db, admin: PeopleAdmin, doer: Doer, body: InvitationBody): Promise<Invitation> {
  const { accountId, personId } = doer.actor;
  const tenantId = doer.actor.tenantId ?? body.tenantId ?? null;
  const grants = body.grants.map(grantRow);
  await admin.requireGrantable(trx, doer, tenantId, grants);
  const { email, name, login = email, language = doer.language } = body;
  // Else somebody could become, under the address of another, whom that person's provider or forgotten password leads to.
  if (isAddress(login) && login.toLowerCase() !== email.toLowerCase())
    throw badField('body.login', {
      en: 'is a mail address other than the one that is written to',
      zh: '是邮箱地址，但与收件地址不同',
    });
  if (await people.hasLogin(trx, accountId, login)) conflict('login_taken');
  const at = admin.now();
  const id = admin.newId();
  const row = { id, accountId, tenantId, login, name, email, language, grants, invitedBy: personId };
  const expiresAt = new Date(at.getTime() + VALID_MS);
  if (!(await invitations.add(trx, { ...row, createdAt: at, expiresAt }))) conflict('invited_already');
  await post(trx, admin, id, at);
  await happened(trx, admin.newId, { accountId, kind: 'person.invited', at, data: { invitationId: id } });
  const after = { login, name, email, tenantId, grants };
  await audit(trx, { accountId, at, personId, action: 'invitation.made', subjectId: id, after, ip: doer.ip });
  return shown(trx, admin, doer, id, at);
}

/** @throws AppError 'not_found', 'forbidden', 'conflict' with its state where it can no longer be changed. */
async function changeable(trx: Db, admin: PeopleAdmin, doer: Doer, id: string): Promise<InvitationRow> {
  const row = await invitations.lock(trx, doer.actor.accountId, id);
  if (!row) throw new AppError('not_found', 'no such invitation', { details: { id } });
  await admin.requireGrantable(trx, doer, row.tenantId, row.grants);
  const state = invitationState(row, admin.now());
  if (state === 'accepted' || state === 'revoked') conflict(state, id);
  return row;
}

async function resend(trx: Db, admin: PeopleAdmin, doer: Doer, id: string): Promise<Invitation> {
  await changeable(trx, admin, doer, id);
  const { accountId, personId } = doer.actor;
  const at = admin.now();
  await invitations.renew(trx, accountId, id, new Date(at.getTime() + VALID_MS));
  await post(trx, admin, id, at);
  await audit(trx, { accountId, at, personId, action: 'invitation.resent', subjectId: id, ip: doer.ip });
  return shown(trx, admin, doer, id, at);
}

async function revoke(trx: Db, admin: PeopleAdmin, doer: Doer, id: string): Promise<void> {
  await changeable(trx, admin, doer, id);
  const { accountId, personId } = doer.actor;
  const at = admin.now();
  await invitations.revoke(trx, accountId, id, at);
  await jobs.cancel(trx, accountId, INVITATION_TASK, id);
  await audit(trx, { accountId, at, personId, action: 'invitation.revoked', subjectId: id, ip: doer.ip });
}

async function shown(trx: Db, admin: PeopleAdmin, doer: Doer, id: string, at: Date): Promise<Invitation> {
  const row = (await invitations.lock(trx, doer.actor.accountId, id)) as InvitationRow;
  return invitationView(row, await admin.tenantNames(trx, doer, [row]), at);
}

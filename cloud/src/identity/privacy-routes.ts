import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { EraseBody, IdParams, PersonalExport } from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { actorOf } from '../platform/access.ts';
import { withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { audit } from './audit.ts';
import type { PeopleAdmin } from './people-admin.ts';
import { doerOf, requireOtherAdmin } from './people-routes.ts';
import { erasePerson, exportPerson } from './privacy.ts';

/** What is kept about a person is handed out and erased on demand (PIPL articles 45 and 47, GDPR articles 15, 17 and 20). */
export function privacyRoutes(admin: PeopleAdmin): FastifyPluginAsyncTypebox {
  const config = { permission: 'person.write', fresh: true };
  const { db, now } = admin;

  async function handedOut(request: FastifyRequest, id: string): Promise<PersonalExport> {
    const actor = actorOf(request);
    const { accountId, personId } = actor;
    return withActor(db, actor, async (trx) => {
      const at = now();
      const found = await exportPerson(trx, accountId, id, at);
      if (!found) throw new AppError('not_found', 'no such person', { details: { id } });
      await audit(trx, { accountId, at, personId, action: 'person.exported', subjectId: id, ip: request.ip });
      return found;
    });
  }

  return (app) => {
    app.get(
      '/api/people/:id/export',
      {
        config,
        schema: {
          summary: 'Export all that is kept about a person',
          params: IdParams,
          response: { 200: PersonalExport },
        },
      },
      (request) => handedOut(request, request.params.id),
    );

    app.get(
      '/api/me/export',
      {
        config: { permission: 'session', fresh: true },
        schema: { summary: 'Export all that is kept about oneself', response: { 200: PersonalExport } },
      },
      (request) => handedOut(request, actorOf(request).personId),
    );

    app.post(
      '/api/people/:id/erase',
      {
        config,
        schema: {
          summary: 'Erase a person’s data for good',
          params: IdParams,
          body: EraseBody,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        const { accountId, personId: by } = actorOf(request);
        const { ip } = request;
        await admin.change(doerOf(request), request.params.id, undefined, async (trx, before, at) => {
          if (request.body.name !== before.name)
            throw badField('body.name', { en: 'is not the name of the person', zh: '与该人员的姓名不符' });
          await requireOtherAdmin(trx, accountId, before);
          await erasePerson(trx, { accountId, personId: before.id, at, by, ip });
          return undefined;
        });
        return reply.code(204).send(null);
      },
    );
    return Promise.resolve();
  };
}

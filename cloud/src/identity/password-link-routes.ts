import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams, PasswordLink } from '@parkline/contract';
import { linkHash, newLinkToken } from './links.ts';
import { conflict, isAddress, type PeopleAdmin } from './people-admin.ts';
import { doerOf } from './people-routes.ts';
import { resets } from './resets.ts';

const VALID_MS = 86_400_000;

/**
 * A link that an administrator shows to somebody who has no mail address: whoever opens it chooses the password of that
 * person, once. What the person has stays valid until then; links made before are over.
 */
export function passwordLinkRoutes(admin: PeopleAdmin): FastifyPluginAsyncTypebox {
  return (app) => {
    app.post(
      '/api/people/:id/password-link',
      {
        config: { permission: 'person.write', fresh: true, once: true },
        schema: {
          summary: 'Make a link for a person to choose a new password by',
          params: IdParams,
          response: { 201: PasswordLink },
        },
      },
      async (request, reply) => {
        const doer = doerOf(request);
        const { accountId } = doer.actor;
        const token = newLinkToken();
        const askedAt = admin.now();
        const expiresAt = new Date(askedAt.getTime() + VALID_MS);
        await admin.change(doer, request.params.id, undefined, async (trx, person) => {
          const { id: personId, disabledAt, email, login } = person;
          if (disabledAt) conflict('disabled', personId);
          // Who has an address is sent the link there: nobody else gets to choose that password.
          if (email !== null || isAddress(login)) conflict('has_address', personId);
          await resets.useAll(trx, accountId, personId, askedAt);
          const link = {
            id: admin.newId(),
            accountId,
            personId,
            tokenHash: linkHash(token),
            askedAt,
            expiresAt,
          };
          await resets.add(trx, link, new Date(askedAt.getTime() - VALID_MS));
          return { action: 'person.password_link_made' };
        });
        return reply.code(201).send({ token, expiresAt: expiresAt.toISOString() });
      },
    );
    return Promise.resolve();
  };
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  GrantBody,
  GrantParams,
  IdParams,
  NewPersonBody,
  Page,
  Person,
  PersonPatch,
  PersonQuery,
} from '@parkline/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { etag, ifMatch } from '../platform/versions.ts';
import { audit } from './audit.ts';
import { invitations } from './invitations.ts';
import { addressOf, tell } from './notices.ts';
import { conflict, type Doer, grantRow, isAddress, type PeopleAdmin } from './people-admin.ts';
import type { GrantRow } from './people-tables.ts';
import { personView } from './people-view.ts';
import { type PersonChange, type PersonRow, roster } from './roster.ts';
import { factors } from './second-factors.ts';
import { sessions } from './session-store.ts';

/** Where people are administered: the staff everybody, a tenant's administrator the tenant's own. */
export const peopleDoors = [
  { base: '/api/people', one: 'Person', of: '', read: 'person.read', write: 'person.write' },
  {
    ...{ base: '/api/my/people', one: 'MyPerson', of: ' of the own tenant' },
    ...{ read: 'person.tenant', write: 'person.tenant' },
  },
] as const;

export const doerOf = (request: FastifyRequest): Doer => ({
  actor: actorOf(request),
  ip: request.ip,
  language: request.language,
});

/** Who is known, what they may do, and where technicians work. */
export const peopleRoutes =
  (admin: PeopleAdmin): FastifyPluginAsyncTypebox =>
  async (app) => {
    for (const door of peopleDoors) {
      await app.register(readRoutes(admin, door));
      await app.register(writeRoutes(admin, door));
      await app.register(rightRoutes(admin, door));
    }
  };

type Door = (typeof peopleDoors)[number];

function readRoutes(admin: PeopleAdmin, { base, of, read }: Door): FastifyPluginAsyncTypebox {
  const config = { permission: read };
  return (app) => {
    app.get(
      base,
      {
        config,
        schema: {
          summary: `List the people${of}`,
          querystring: PersonQuery,
          response: { 200: Page(Person) },
        },
      },
      (request) => {
        const doer = doerOf(request);
        const { limit } = request.query;
        return withActor(admin.db, doer.actor, async (trx) => {
          const rows = await roster.page(trx, doer.actor.accountId, { ...request.query, limit: limit + 1 });
          const shown = rows.slice(0, limit);
          const tenants = await admin.tenantNames(trx, doer, shown);
          const next = rows.length > limit ? (shown.at(-1)?.id ?? null) : null;
          return { items: shown.map((row) => personView(row, tenants)), next };
        });
      },
    );

    app.get(
      `${base}/:id`,
      { config, schema: { summary: `Get a person${of}`, params: IdParams, response: { 200: Person } } },
      (request, reply) => {
        const doer = doerOf(request);
        const { id } = request.params;
        return withActor(admin.db, doer.actor, async (trx) => {
          const row = await roster.find(trx, doer.actor.accountId, id);
          if (!row) throw new AppError('not_found', 'no such person', { details: { id } });
          etag(reply, row.version);
          return admin.view(trx, doer, row);
        });
      },
    );
    return Promise.resolve();
  };
}

/** Sends a changed person with its version. */
async function answered(reply: FastifyReply, change: Promise<Person>): Promise<Person> {
  const person = await change;
  etag(reply, person.version);
  return person;
}

function writeRoutes(admin: PeopleAdmin, { base, one, of, write }: Door): FastifyPluginAsyncTypebox {
  const config = { permission: write, fresh: true };
  return (app) => {
    app.post(
      base,
      { config, schema: { summary: `Add a person${of}`, body: NewPersonBody, response: { 201: Person } } },
      async (request, reply) => {
        const doer = doerOf(request);
        const person = await withActor(admin.db, doer.actor, (trx) =>
          addPerson(trx, admin, doer, request.body),
        );
        etag(reply, person.version);
        return reply.code(201).send(person);
      },
    );

    app.patch(
      `${base}/:id`,
      {
        config,
        schema: {
          summary: `Change a person${of}`,
          params: IdParams,
          body: PersonPatch,
          response: { 200: Person },
        },
      },
      (request, reply) => {
        const { accountId, personId: by } = actorOf(request);
        const change = async (trx: Db, before: PersonRow, at: Date) => {
          const deed = await edit(trx, accountId, before, request.body);
          if (deed && 'email' in deed.after) {
            const told = { personId: before.id, to: addressOf(before), by, at };
            await tell(trx, admin.newId, { what: 'address_changed', ...told });
          }
          return deed;
        };
        return answered(reply, admin.change(doerOf(request), request.params.id, ifMatch(request), change));
      },
    );

    for (const [what, does] of [
      ['disable', 'Shut out'],
      ['enable', 'Let in again'],
    ] as const)
      app.post(
        `${base}/:id/${what}`,
        { config, schema: { summary: `${does} a person${of}`, params: IdParams, response: { 200: Person } } },
        (request, reply) =>
          answered(
            reply,
            admin.change(doerOf(request), request.params.id, undefined, async (trx, before, at) => {
              const { accountId } = actorOf(request);
              const disabledAt = what === 'disable' ? at : null;
              if ((before.disabledAt === null) === (disabledAt === null)) return undefined;
              if (disabledAt) await requireOtherAdmin(trx, accountId, before);
              await roster.change(trx, accountId, before.id, { disabledAt });
              await rightsLost(trx, accountId, before.id, at);
              return { action: `person.${what}d` };
            }),
          ),
      );

    // For who lost the device and the recovery codes: the next login asks for the password alone, or for a new enrolment.
    app.post(
      `${base}/:id/reset-second-factor`,
      {
        config,
        schema: {
          summary: `Take the second factors off a person${of}`,
          operationId: `reset${one}SecondFactor`,
          params: IdParams,
          response: { 200: Person },
        },
      },
      (request, reply) =>
        answered(
          reply,
          admin.change(doerOf(request), request.params.id, undefined, async (trx, before, at) => {
            const { accountId, personId: by } = actorOf(request);
            await factors.reset(trx, { accountId, personId: before.id });
            await sessions.endAllOf(trx, accountId, before.id);
            const told = { personId: before.id, to: addressOf(before), by, at };
            await tell(trx, admin.newId, { what: 'factor_reset', ...told });
            return { action: 'person.second_factor_reset' };
          }),
        ),
    );
    return Promise.resolve();
  };
}

async function addPerson(trx: Db, admin: PeopleAdmin, doer: Doer, body: NewPersonBody): Promise<Person> {
  const { accountId, personId } = doer.actor;
  const tenantId = doer.actor.tenantId ?? body.tenantId ?? null;
  const grants = body.grants.map(grantRow);
  await admin.requireGrantable(trx, doer, tenantId, grants);
  requireStaffFields(tenantId, body);
  const { login, name, email = null, language = 'zh-CN', skills = [], areas = [] } = body;
  if (isAddress(login))
    throw badField('body.login', {
      en: 'is a mail address: invite it, so that its holder agrees',
      zh: '是邮箱地址：请发送邀请，由其本人确认',
    });
  const id = admin.newId();
  if (!(await roster.add(trx, { id, accountId, tenantId, login, name, email, language })))
    conflict('login_taken');
  for (const grant of grants) await roster.grant(trx, admin.newId, { accountId, personId: id, ...grant });
  const at = admin.now();
  const after = { login, name, email, language, tenantId, grants, skills, areas };
  await audit(trx, { accountId, at, personId, action: 'person.added', subjectId: id, after, ip: doer.ip });
  if (skills.length > 0) await roster.change(trx, accountId, id, { skills });
  if (areas.length > 0) await setAreas(trx, accountId, id, areas);
  return admin.view(trx, doer, (await roster.find(trx, accountId, id)) as PersonRow);
}

/** @throws AppError 'bad_input' when one of the places is not there. */
async function setAreas(trx: Db, accountId: string, id: string, areas: readonly string[]): Promise<void> {
  if (!(await roster.setAreas(trx, accountId, id, areas))) throw badField('body.areas', fieldWords.noPlace);
}

const onlyStaff = { en: 'is only for staff', zh: '仅适用于运营方人员' };

/** @throws AppError 'bad_input': skills and areas are a technician's, and a tenant has none. */
function requireStaffFields(tenantId: string | null, { skills = [], areas = [] }: PersonPatch): void {
  if (tenantId === null) return;
  if (skills.length > 0) throw badField('body.skills', onlyStaff);
  if (areas.length > 0) throw badField('body.areas', onlyStaff);
}

/** Writes the fields that differ. */
async function edit(trx: Db, accountId: string, before: PersonRow, body: PersonPatch) {
  const fields = Object.keys(body).filter(
    (key) => !sameValue(before[key as keyof PersonPatch], body[key as keyof PersonPatch]),
  );
  if (fields.length === 0) return undefined;
  const pick = (from: object) =>
    Object.fromEntries(Object.entries(from).filter(([key]) => fields.includes(key)));
  requireStaffFields(before.tenantId, body);
  const { areas, ...change } = pick(body) as PersonPatch;
  if (areas) await setAreas(trx, accountId, before.id, areas);
  await roster.change(trx, accountId, before.id, change as PersonChange);
  return { action: 'person.changed', before: pick(before), after: pick(body) };
}

const sameValue = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) ? a.length === b.length && a.every((one) => b.includes(one)) : a === b;

function rightRoutes(admin: PeopleAdmin, { base, of, write }: Door): FastifyPluginAsyncTypebox {
  const config = { permission: write, fresh: true };
  return (app) => {
    app.post(
      `${base}/:id/grants`,
      {
        config,
        schema: {
          summary: `Give a person${of} a role`,
          params: IdParams,
          body: GrantBody,
          response: { 200: Person },
        },
      },
      (request, reply) => {
        const doer = doerOf(request);
        const { accountId } = doer.actor;
        const change = admin.change(doer, request.params.id, undefined, async (trx, before, at) => {
          const grant = grantRow(request.body);
          await admin.requireGrantable(trx, doer, before.tenantId, [grant]);
          if (!(await roster.grant(trx, admin.newId, { accountId, personId: before.id, ...grant })))
            conflict('has_right_already', before.id);
          await roster.change(trx, accountId, before.id, {});
          await rightsLost(trx, accountId, before.id, at);
          return { action: 'person.granted', after: grant };
        });
        return answered(reply, change);
      },
    );

    app.delete(
      `${base}/:id/grants/:grantId`,
      {
        config,
        schema: { summary: `Take a role from a person${of}`, params: GrantParams, response: { 200: Person } },
      },
      (request, reply) => {
        const doer = doerOf(request);
        const { accountId } = doer.actor;
        const { id, grantId } = request.params;
        const change = admin.change(doer, id, ifMatch(request), async (trx, before, at) => {
          const grant = before.grants.find((one) => one.id === grantId);
          if (!grant) throw new AppError('not_found', 'no such right', { details: { id: grantId } });
          if (grant.role === 'account_admin') await requireOtherAdmin(trx, accountId, before);
          await roster.revoke(trx, accountId, grantId);
          await roster.change(trx, accountId, id, {});
          await rightsLost(trx, accountId, id, at);
          return { action: 'person.revoked', before: rightOf(grant) };
        });
        return answered(reply, change);
      },
    );
    return Promise.resolve();
  };
}

const rightOf = ({ role, siteId, buildingId }: GrantRow): GrantRow => ({ role, siteId, buildingId });

/** Nobody goes on with a session that was opened with other rights, nor lets others in with rights that may be gone. */
async function rightsLost(trx: Db, accountId: string, id: string, at: Date): Promise<void> {
  await sessions.endAllOf(trx, accountId, id);
  await invitations.revokeAllBy(trx, accountId, id, at);
}

/** @throws AppError 'conflict' where nobody could administer the account without this person. */
export async function requireOtherAdmin(trx: Db, accountId: string, person: PersonRow): Promise<void> {
  if (!person.grants.some(({ role }) => role === 'account_admin')) return;
  if (!(await roster.hasOtherAdmin(trx, accountId, person.id))) conflict('last_admin', person.id);
}

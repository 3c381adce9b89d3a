import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  Fault,
  FaultQuery,
  FaultRule,
  FaultRuleSettings,
  IdParams,
  ListQuery,
  Page,
} from '@parkline/contract';
import Type from 'typebox';
import { audit } from '../identity/index.ts';
import { actorOf } from '../platform/access.ts';
import { notifyChanged } from '../platform/changes.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import { pageOf } from '../platform/pages.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { faultCleared } from './events.ts';
import { faultView, presetOf, ruleView, settingFault } from './present.ts';
import { faults } from './repository.ts';
import type { Rule } from './rule-schema.ts';
import type { Rules } from './rules.ts';
import { readSettings } from './snapshot.ts';

export interface FaultRouteDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly rules: Rules;
}

const RuleParams = Type.Object({ key: Type.String({ maxLength: 80 }) });

/** What is wrong in the park, and from when on something counts as wrong. */
export const faultRoutes =
  (deps: FaultRouteDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId, rules } = deps;
    const reading = { permission: 'fault.read' };
    await app.register(faultRuleRoutes(deps));

    app.get(
      '/api/faults',
      {
        schema: { summary: 'List the faults', querystring: FaultQuery, response: { 200: Page(Fault) } },
        config: { ...reading, display: true },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, ...query } = request.query;
        // One more than asked for tells whether there is a next page.
        const page = { ...query, limit: limit + 1 };
        const rows = await withActor(db, actor, (trx) => faults.page(trx, actor.accountId, page));
        const items = rows.slice(0, limit).map((row) => faultView(row, rules, request.language));
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );

    app.get(
      '/api/faults/:id',
      {
        schema: { summary: 'Get a fault with what proves it', params: IdParams, response: { 200: Fault } },
        config: reading,
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const row = await withActor(db, actor, (trx) => faults.find(trx, actor.accountId, id));
        if (!row) throw new AppError('not_found', 'no such fault', { details: { id } });
        return faultView(row, rules, request.language);
      },
    );

    app.post(
      '/api/faults/:id/acknowledge',
      {
        schema: { summary: 'Say that a fault was seen', params: IdParams, response: { 200: Fault } },
        config: { permission: 'fault.acknowledge' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        const at = now();
        const row = await withActor(db, actor, async (trx) => {
          const found = await faults.find(trx, accountId, id);
          if (!found) throw new AppError('not_found', 'no such fault', { details: { id } });
          // A second time, or by a second person, it stays as it was: the wish is fulfilled.
          if (!(await faults.acknowledge(trx, accountId, id, at, personId))) return found;
          if (rules.get(found.rule)?.latched && (await faults.clear(trx, accountId, id, at, 'acknowledged')))
            await faultCleared(trx, newId, { accountId, faultId: id, at });
          const deed = { accountId, at, personId, ip: request.ip };
          await audit(trx, { ...deed, action: 'fault.acknowledged', subjectId: id });
          await notifyChanged(trx, accountId, 'faults');
          return faults.find(trx, accountId, id);
        });
        return faultView(row!, rules, request.language);
      },
    );
  };

const faultRuleRoutes =
  ({ db, now, rules }: FaultRouteDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/fault-rules',
      {
        schema: {
          summary: 'List the fault rules',
          querystring: ListQuery,
          response: { 200: Page(FaultRule) },
        },
        config: { permission: 'fault.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const settings = await withActor(db, actor, (trx) => readSettings(trx, actor.accountId));
        const items = [...rules.values()].map((rule) =>
          ruleView(rule, settings.get(rule.key), request.language),
        );
        return pageOf(items, request.query, ({ key }) => key);
      },
    );

    app.get(
      '/api/fault-rules/:key',
      {
        schema: { summary: 'Get a fault rule', params: RuleParams, response: { 200: FaultRule } },
        config: { permission: 'fault.read' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const rule = ruleOf(request.params.key);
        const settings = await withActor(db, actor, (trx) => readSettings(trx, actor.accountId));
        const view = ruleView(rule, settings.get(rule.key), request.language);
        etag(reply, view.version);
        return view;
      },
    );

    app.put(
      '/api/fault-rules/:key',
      {
        schema: {
          summary: 'Change what a fault rule compares with',
          params: RuleParams,
          body: FaultRuleSettings,
          response: { 200: FaultRule },
        },
        config: { permission: 'rule.write', fresh: true },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const rule = ruleOf(request.params.key);
        const fault = settingFault(rule, request.body);
        if (fault) throw badField('body.limit', fault);
        const [at, version] = [now(), ifMatch(request)];
        const by = { updatedAt: at, updatedBy: personId };
        await withActor(db, actor, async (trx) => {
          const before = (await readSettings(trx, accountId)).get(rule.key);
          if (!(await faults.saveSetting(trx, accountId, rule.key, version, request.body, by))) {
            const theirs = (await readSettings(trx, accountId)).get(rule.key);
            throw staleEdit(ruleView(rule, theirs, request.language));
          }
          const { version: _counted, ...was } = before ?? { ...presetOf(rule), version };
          const deed = { accountId, at, personId, action: 'rule.set', ip: request.ip };
          await audit(trx, { ...deed, before: was, after: request.body, details: { rule: rule.key } });
          await notifyChanged(trx, accountId, 'settings');
        });
        etag(reply, version + 1);
        return ruleView(rule, { ...request.body, version: version + 1 }, request.language);
      },
    );

    /** @throws AppError 'not_found'. */
    function ruleOf(key: string): Rule {
      const rule = rules.get(key);
      if (!rule) throw new AppError('not_found', 'no such rule', { details: { key } });
      return rule;
    }
  };

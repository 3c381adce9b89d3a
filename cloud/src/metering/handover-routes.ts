import './tables.ts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { HandoverMeter, IdParams, Page } from '@parkline/contract';
import { sql } from 'kysely';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { inLanguage, type LocalText } from '../platform/i18n.ts';

type MeterRow = Omit<HandoverMeter, 'name' | 'spaceName'> & {
  readonly name: LocalText;
  readonly spaceName: LocalText;
};

/** What is read when the spaces of a lease change hands. */
export const handoverRoutes =
  ({ db, now }: { readonly db: Db; readonly now: Now }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/leases/:id/meters',
      {
        schema: {
          summary: 'List the meters of the spaces of a lease',
          params: IdParams,
          response: { 200: Page(HandoverMeter) },
        },
        config: { permission: 'tenancy.write' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const rows = await withActor(db, actor, (trx) => metersOf(trx, actor.accountId, id, now()));
        if (!rows) throw new AppError('not_found', 'no such lease', { details: { id } });
        const { language } = request;
        const items = rows.map(({ name, spaceName, ...meter }) => ({
          ...{ ...meter, name: inLanguage(name, language), spaceName: inLanguage(spaceName, language) },
        }));
        return { items, next: null };
      },
    );
  };

/** Usage points of the spaces with the register that hangs there at a moment; undefined: there is no such lease. */
async function metersOf(
  trx: Db,
  accountId: string,
  leaseId: string,
  at: Date,
): Promise<MeterRow[] | undefined> {
  const { rows } = await sql<MeterRow & { id: string | null }>`
    select u.id, u.name, s.name as space_name, p.unit, p.resolution
    from lease l
    left join (lease_space ls
      join space s on s.account_id = ls.account_id and s.id = ls.space_id
      join usage_point u on u.account_id = s.account_id and u.space_id = s.id
      join meter_installation m on m.account_id = u.account_id and m.usage_point_id = u.id
        and coalesce(m.from_at <= ${at}, true) and coalesce(m.to_at > ${at}, true)
      join point p on p.account_id = m.account_id and p.id = m.point_id) on ls.account_id = l.account_id and ls.lease_id = l.id
    where l.account_id = ${accountId} and l.id = ${leaseId} order by s.key, u.key`.execute(trx);
  return rows.length === 0 ? undefined : rows.filter(({ id }) => id !== null);
}

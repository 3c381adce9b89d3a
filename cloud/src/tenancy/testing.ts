import { seedPlaces } from '../places/index.ts';
import { type Db, withAccount } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import { newId } from '../platform/ids.ts';
import { seedTenancy } from './seed.ts';

const named = (key: string): { key: string; name: LocalText } => ({ key, name: { en: key, zh: key } });
const unit = (key: string, areaM2: number) => ({ ...named(key), kind: 'unit' as const, areaM2 });

/** Two houses with two suites each; north's first suite goes from aurora to birch on 2026-07-01, south's are birch's. */
export const tenancyPlan = {
  site: { ...named('quay'), timezone: 'Asia/Shanghai', currency: 'CNY' },
  buildings: ['north', 'south'].map((house) => ({
    ...named(house),
    floors: [
      {
        ...named(`${house}-1`),
        level: 0,
        spaces: [
          unit(`${house}-101`, 100.5),
          unit(`${house}-102`, 50),
          { ...unit(`${house}-hall`, 20), kind: 'common' as const },
        ],
      },
    ],
  })),
  tenants: [named('aurora'), named('birch')],
  leases: [
    {
      key: 'aurora-1',
      tenant: 'aurora',
      spaces: ['north-101', 'north-102'],
      from: '2025-01-01',
      to: '2026-07-01',
      headcount: 12,
    },
    { key: 'aurora-2', tenant: 'aurora', spaces: ['north-102'], from: '2026-07-01', to: null },
    { key: 'birch-1', tenant: 'birch', spaces: ['north-101'], from: '2026-07-01', to: null },
    {
      key: 'birch-2',
      tenant: 'birch',
      spaces: ['south-101', 'south-102'],
      from: '2024-01-01',
      to: '2027-01-01',
    },
  ],
};

/** Puts places, tenants and leases into an account. @returns the ids of spaces, buildings and tenants by key. */
export const givenTenancy = (db: Db, accountId: string, plan: typeof tenancyPlan = tenancyPlan) =>
  withAccount(db, accountId, async (trx) => {
    const places = await seedPlaces(trx, accountId, plan, newId);
    await seedTenancy(trx, accountId, plan, places.spaces, newId);
    const rows = await trx
      .selectFrom('tenant')
      .select(['key', 'id'])
      .where('accountId', '=', accountId)
      .execute();
    return { ...places, tenants: new Map(rows.map(({ key, id }) => [key, id])) };
  });

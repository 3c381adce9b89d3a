import { type Db, withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { tariffs } from './tariffs.ts';

/** Body of a tariff version as it is stored: 1.00 by day (from 08:00), 0.50 by night, 2.00 on a holiday's afternoon. */
export const dayAndNight = JSON.stringify({
  holidays: ['2026-11-11'],
  tariff: {
    vat_rate: '0.19',
    versions: [
      { id: 'v1', from: '2026-01-01', prices: { day: '1.00', night: '0.50', feast: '2.00' } },
      { id: 'v2', from: '2026-11-15', prices: { day: '1.10', night: '0.55', feast: '2.20' } },
    ],
    bands: [
      { band: 'feast', days: 'holiday', from: '12:00', to: '18:00' },
      { band: 'day', days: 'all', from: '08:00', to: '20:00' },
      { band: 'night', days: 'all', from: '20:00', to: '08:00' },
    ],
  },
});

/** Stores it for the first site of the account. @returns what `tariffs.add` says. */
export const addDayAndNight = (
  db: Db,
  accountId: string,
  commodity: 'electricity' | 'water' = 'electricity',
): Promise<'added' | 'known' | 'other'> =>
  withAccount(db, accountId, async (trx) => {
    const { id: siteId } = await trx
      .selectFrom('site')
      .select('id')
      .where('accountId', '=', accountId)
      .orderBy('id')
      .executeTakeFirstOrThrow();
    const name = { en: 'Day and night', zh: '峰谷' };
    const tariff = { siteId, key: commodity, name, commodity, from: '2026-01-01', body: dayAndNight };
    return tariffs.add(trx, accountId, tariff, newId);
  });

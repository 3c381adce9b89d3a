import './tables.ts';
import type { Account, Language, ParkName } from '@parkline/contract';
import type { Db } from '../platform/db.ts';
import { inLanguage } from '../platform/i18n.ts';

/** The account that a transaction is in: inside `withActor` or `withAccount`. */
export const accounts = {
  find: (trx: Db, id: string): Promise<Account> =>
    trx
      .selectFrom('account')
      .select(['id', 'key', 'name', 'version'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow(),

  /** What its people call it. */
  nameIn: async (trx: Db, id: string, language: Language): Promise<string> =>
    inLanguage((await accounts.find(trx, id)).name, language),

  /** Saves unless somebody else saved since the account was read. @returns whether it was saved. */
  async rename(trx: Db, { id, version }: Account, name: ParkName): Promise<boolean> {
    const { numUpdatedRows } = await trx
      .updateTable('account')
      .set({ name, version: version + 1 })
      .where('id', '=', id)
      .where('version', '=', version)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },
};

import './tables.ts';
import { commodities, LocalDate, schemaErrors } from '@parkline/contract';
import { LocalName } from '@parkline/templates';
import { sql } from 'kysely';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { isDate } from '../metering/index.ts';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import { parseJson } from './json.ts';
import { checkPlan, readPlan } from './price-list.ts';
import { tariffs } from './tariffs.ts';

/** A tariff as a file holds it, beside the `holidays` and `tariff` of a scenario. */
const TariffFile = Type.Object({
  key: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
  name: LocalName,
  commodity: Type.Enum(commodities),
  /** Key of the site. */
  site: Type.String({ minLength: 1 }),
  /** First day of this version, on the site's calendar. */
  from: LocalDate,
});

export interface AddedTariff {
  readonly key: string;
  readonly from: string;
  /** It was there already, as it is. */
  readonly known: boolean;
}

/**
 * Stores the tariff in the text of a file. Call within a transaction of the account.
 * @throws Error telling every fault of the file, or that another version begins on that day.
 */
export async function addTariff(db: Db, accountId: string, text: string, newId: NewId): Promise<AddedTariff> {
  const file: unknown = JSON.parse(text);
  if (!Value.Check(TariffFile, file) || !isDate(file.from)) throw new Error(faultsOf(file));
  const { key, name, commodity, site, from } = file;
  const { rows } = await sql<{ id: string; timezone: string }>`
    select id, timezone from site where account_id = ${accountId} and key = ${site}`.execute(db);
  const found = rows[0];
  if (!found) throw new Error(`tariff ${key}: there is no site ${site}`);
  const plan = readPlan(parseJson(text), found.timezone);
  const faults = plan.ok ? checkPlan(plan.value, from) : plan.faults;
  if (faults.length > 0)
    throw new Error(
      faults.map(({ field, message }) => `tariff ${key}: ${field ?? ''} ${message}`).join('\n'),
    );
  const tariff = { siteId: found.id, key, name, commodity, from, body: text };
  const added = await tariffs.add(db, accountId, tariff, newId);
  if (added === 'other')
    throw new Error(
      `tariff ${key} has another version from ${from}: it stays; begin this one on a later day`,
    );
  return { key, from, known: added === 'known' };
}

function faultsOf(file: unknown): string {
  const faults = schemaErrors(TariffFile, file).map(
    ({ instancePath, message }) => `tariff: ${instancePath || '/'} ${message}`,
  );
  return faults.length > 0 ? faults.join('\n') : 'tariff: /from is no day of the calendar';
}

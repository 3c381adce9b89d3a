import { loadTemplate } from '@parkline/templates';
import type { ClientBase, Pool } from 'pg';
import { engineering } from './sample.ts';

/** The billing register of a meter. */
export interface MeterRegister {
  readonly num: number;
  /** Engineering value of one count. */
  readonly resolution: number;
}

/** A meter as a person looks for it. */
export interface ListedMeter {
  readonly key: string;
  readonly name: { readonly en: string; readonly zh: string };
  readonly unit: string;
  readonly template: string;
  /** What its billing register showed last, in `unit`; null before the first reading. */
  readonly register: number | null;
  readonly at: Date | null;
}

interface Found extends MeterRegister {
  readonly meter: string;
  readonly name: ListedMeter['name'];
  readonly template: string;
  /** Of the point. */
  readonly key: string;
  readonly unit: string;
}

/** Keys told when none is close. */
const SOME_KEYS = 5;
/** Keys at most this many typing errors away are close. */
const MOST_ERRORS = 2;

/** The billing register of every meter of the account, by the meter's key. */
export async function findMeters(client: ClientBase): Promise<Map<string, Found>> {
  const { rows } = await client.query<Found>(
    `select e.key as meter, e.name, e.template, p.key, p.num, p.resolution, p.unit
     from equipment e join point p on p.account_id = e.account_id and p.equipment_id = e.id
     where e.account_id = current_account() and p.kind = 'register' order by p.num`,
  );
  const meters = new Map<string, Found>();
  for (const [meter, registers] of Map.groupBy(rows, ({ meter }) => meter)) {
    const [first] = registers;
    const billing = registers.length > 1 ? billingKey(first!.template) : first!.key;
    const register = registers.find(({ key }) => key === billing);
    if (register) meters.set(meter, register);
  }
  return meters;
}

const billingKey = (template: string): string | undefined =>
  loadTemplate(template).points.find(({ billing }) => billing)?.key;

/** Says which meter may have been meant by a key that is not known; a key that repeats in a long file is looked for once. */
export function createHint(keys: Iterable<string>): (unknown: string) => string {
  const known = [...keys].sort();
  const said = new Map<string, string>();
  return (unknown) => {
    const before = said.get(unknown);
    if (before !== undefined) return before;
    const hint = hintFor(unknown, known);
    said.set(unknown, hint);
    return hint;
  };
}

function hintFor(unknown: string, known: readonly string[]): string {
  if (known.length === 0) return 'no meter is known';
  const wanted = unknown.trim().toLowerCase();
  const similar = known.filter((key) => Math.abs(key.length - wanted.length) <= MOST_ERRORS);
  const distances = similar.map((key) => ({ key, errors: typingErrors(wanted, key.toLowerCase()) }));
  const least = Math.min(...distances.map(({ errors }) => errors));
  const close = distances.filter(({ errors }) => errors === least).map(({ key }) => key);
  if (least <= MOST_ERRORS && least < wanted.length)
    return `did you mean ${close.slice(0, SOME_KEYS).join(' or ')}?`;
  const more = known.length > SOME_KEYS ? `, ... (${known.length} in all)` : '';
  return `known ${known.length === 1 ? 'is' : 'are'} ${known.slice(0, SOME_KEYS).join(', ')}${more}`;
}

/** Letters to insert, drop or replace (Levenshtein). */
function typingErrors(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(
        Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length]!;
}

/** The meters of an account that readings can be imported for, by key. `pool` is the owner's. */
export async function readMeters(pool: Pool, accountId: string): Promise<ListedMeter[]> {
  const client = await pool.connect();
  try {
    await client.query('begin read only');
    await client.query(`select set_config('app.account_id', $1, true)`, [accountId]);
    const meters = await listMeters(client);
    await client.query('commit');
    client.release();
    return meters;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function listMeters(client: ClientBase): Promise<ListedMeter[]> {
  const meters = await findMeters(client);
  const { rows } = await client.query<{ num: number; ts: Date; value: number }>(
    `select x.num, r.ts, r.value
     from unnest($1::int4[]) x (num) cross join lateral (
       select ts, value from reading where point_num = x.num and quality = 0 order by ts desc limit 1
     ) r`,
    [[...meters.values()].map(({ num }) => num)],
  );
  const last = new Map(rows.map((row) => [row.num, row]));
  return [...meters.values()]
    .map(({ meter, name, unit, template, num, resolution }) => ({
      key: meter,
      name,
      unit,
      template,
      register: engineering(last.get(num)?.value ?? null, resolution),
      at: last.get(num)?.ts ?? null,
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

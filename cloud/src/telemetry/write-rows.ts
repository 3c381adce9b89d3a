import type { ClientBase } from 'pg';
import { copyRows } from './copy.ts';
import type { Rows } from './sample.ts';

const UNIQUE_VIOLATION = '23505';

/**
 * Writes rows inside the client's transaction; returns how many contradicted what was there. Almost always nothing is there
 * yet, and COPY costs half of an insert that looks: so copy first, and look only when it collides.
 */
export async function writeRows(client: ClientBase, blocks: readonly Rows[]): Promise<number> {
  if (blocks.every(({ length }) => length === 0)) return 0;
  await client.query('savepoint before_copy');
  try {
    await copyRows(client, 'reading', blocks);
    return 0;
  } catch (error) {
    if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    await client.query('rollback to savepoint before_copy');
    return insertNew(client, blocks);
  }
}

const incoming = `
  select num, '1970-01-01Z'::timestamptz + ms * interval '1 millisecond' as ts, value, quality, flags, ord
  from unnest($1::int4[], $2::float8[], $3::float8[], $4::int2[], $5::int2[]) with ordinality
    as x (num, ms, value, quality, flags, ord)`;

/** The first value of a point and time stays. The same value again is a repeat; another one is kept as a conflict. */
async function insertNew(client: ClientBase, blocks: readonly Rows[]): Promise<number> {
  const columns = asArrays(blocks);
  await client.query(
    `insert into reading (point_num, ts, value, quality, flags)
     select distinct on (num, ts) num, ts, value, quality, flags from (${incoming}) i order by num, ts, ord
     on conflict (point_num, ts) do nothing`,
    columns,
  );
  // A statement of its own: what another process committed meanwhile is visible only now.
  const { rowCount } = await client.query(
    `insert into reading_conflict
       (account_id, point_num, ts, stored_value, stored_quality, other_value, other_quality)
     select distinct p.account_id, r.point_num, r.ts, r.value, r.quality, i.value, i.quality
     from (${incoming}) i
     join reading r on r.point_num = i.num and r.ts = i.ts
     join point p on p.num = r.point_num
     where r.quality <> i.quality or r.value is distinct from i.value`,
    columns,
  );
  return rowCount ?? 0;
}

function asArrays(blocks: readonly Rows[]): unknown[][] {
  const nullable = (value: Float64Array) => [...value].map((one) => (Number.isNaN(one) ? null : one));
  return [
    blocks.flatMap(({ num }) => [...num]),
    blocks.flatMap(({ at }) => [...at]),
    blocks.flatMap(({ value }) => nullable(value)),
    blocks.flatMap(({ quality }) => [...quality]),
    blocks.flatMap(({ flags }) => [...flags]),
  ];
}

import type { Pool } from 'pg';

export const words = (text: string) => ({ en: text, zh: text });
export const AT = new Date('2026-11-01T00:00:00Z');

/** Inserts one row; columns that are not named take their default. */
export async function insert(pool: Pool, table: string, row: object): Promise<void> {
  const columns = Object.keys(row).join(', ');
  await pool.query(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1)`,
    [JSON.stringify(row)],
  );
}

export async function gatewayOf(pool: Pool, equipment: string): Promise<string> {
  const sql = 'select gateway_id as id from equipment where id = $1';
  return (await pool.query<{ id: string }>(sql, [equipment])).rows[0]!.id;
}

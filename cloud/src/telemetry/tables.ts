import type { PointTable } from '@parkline/contract';
import type { ClientBase } from 'pg';
import type { KnownTable } from './decode.ts';

/** A point table cannot be taken: `detail` names the first point that is not this gateway's, or differs from its record. */
export type TableStored = { readonly ok: true } | { readonly ok: false; readonly detail: string };

export interface PointTables {
  find(client: ClientBase, gatewayId: string, hash: string): Promise<KnownTable | undefined>;
  store(client: ClientBase, gatewayId: string, hash: string, table: PointTable): Promise<TableStored>;
  /** After a rollback: what it remembers may not be there. */
  forget(): void;
}

interface PointRow {
  readonly id: string;
  readonly num: number;
  readonly kind: string;
  readonly resolution: number;
}

/** The point tables of all gateways; a table never changes, so what was seen once is kept in memory. */
export function createPointTables(): PointTables {
  const seen = new Map<string, KnownTable>();

  return {
    async find(client, gatewayId, hash) {
      const key = `${gatewayId}/${hash}`;
      const known = seen.get(key);
      if (known) return known;
      const { rows } = await client.query<{ nums: number[]; points: PointTable['points'] }>(
        'select nums, points from point_table where gateway_id = $1 and hash = $2',
        [gatewayId, hash],
      );
      if (!rows[0]) return undefined;
      const table = { nums: Int32Array.from(rows[0].nums), points: rows[0].points };
      seen.set(key, table);
      return table;
    },

    async store(client, gatewayId, hash, { points }) {
      const { rows } = await client.query<PointRow>(
        `select p.id, p.num, p.kind, p.resolution from point p
         join equipment e on e.id = p.equipment_id and e.account_id = p.account_id
         where e.gateway_id = $1 and p.id = any($2::uuid[])`,
        [gatewayId, points.map(({ id }) => id)],
      );
      const own = new Map(rows.map((row) => [row.id, row]));
      const odd = points.find((point) => !agrees(point, own.get(point.id)));
      if (odd) return { ok: false, detail: `point ${odd.id}` };
      await client.query(
        `insert into point_table (gateway_id, hash, nums, points) values ($1, $2, $3, $4) on conflict do nothing`,
        [gatewayId, hash, points.map(({ id }) => own.get(id)!.num), JSON.stringify(points)],
      );
      return { ok: true };
    },

    forget: () => seen.clear(),
  };
}

/** Counts mean nothing without their resolution: a gateway that has another one in mind is not believed. */
const agrees = (sent: PointTable['points'][number], ours: PointRow | undefined): boolean =>
  ours !== undefined && ours.kind === sent.kind && ours.resolution === sent.resolution;

import './tables.ts';
import type { Template } from '@parkline/templates';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { ParkFile } from './park-file.ts';

/** Makes the points of one device that are missing and brings the others up to its template. */
export async function seedPoints(
  db: Db,
  of: { readonly accountId: string; readonly equipmentId: string },
  { template, poll }: { readonly template: Template; readonly poll: ParkFile['poll'] | undefined },
  newId: NewId,
): Promise<void> {
  const rows = template.points.map(
    ({ key, name, unit, kind, resolution, decimals, states, write, ...pace }) => ({
      id: newId(),
      ...of,
      ...{ key, name, unit, kind, resolution, decimals },
      protocol: template.protocol,
      pollMs: poll?.everyMs ?? pace.pollMs,
      heartbeatMs: poll?.heartbeatMs ?? pace.heartbeatMs,
      states: states ?? null,
      write: write ?? null,
    }),
  );
  await db
    .insertInto('point')
    .values(rows)
    .onConflict((c) =>
      c
        .columns(['accountId', 'equipmentId', 'key'])
        // Unit, kind and resolution stay: the readings already stored are in them.
        .doUpdateSet((eb) => ({
          name: eb.ref('excluded.name'),
          decimals: eb.ref('excluded.decimals'),
          pollMs: eb.ref('excluded.pollMs'),
          heartbeatMs: eb.ref('excluded.heartbeatMs'),
          states: eb.ref('excluded.states'),
          write: eb.ref('excluded.write'),
        }))
        .where(
          sql<boolean>`(point.name, point.decimals, point.poll_ms, point.heartbeat_ms, point.states, point.write)
            is distinct from (excluded.name, excluded.decimals, excluded.poll_ms, excluded.heartbeat_ms, excluded.states,
              excluded.write)`,
        ),
    )
    .execute();
}

/** Makes the points of many new devices at once; those that are there stay as they are. */
export async function insertPoints(
  db: Db,
  accountId: string,
  devices: readonly { readonly equipmentId: string; readonly template: Template }[],
  newId: NewId,
): Promise<void> {
  const rows = devices.flatMap(({ equipmentId, template: { points, protocol } }) =>
    points.map(({ key, name, unit, kind, resolution, decimals, pollMs, heartbeatMs, states, write }) => ({
      ...{
        id: newId(),
        accountId,
        equipmentId,
        protocol,
        key,
        name,
        unit,
        kind,
        resolution,
        decimals,
        pollMs,
      },
      ...{ heartbeatMs, states: states ?? null, write: write ?? null },
    })),
  );
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
    await db
      .insertInto('point')
      .values(rows.slice(at, at + ROWS_AT_ONCE))
      .onConflict((c) => c.columns(['accountId', 'equipmentId', 'key']).doNothing())
      .execute();
}

/** A statement takes at most 65,535 values. */
const ROWS_AT_ONCE = 1_000;

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { deviceFolder } from './device-table.ts';
import type { Park } from './park.ts';

/** What each protocol's device tables call their rows. */
interface AnyTable {
  readonly registers?: readonly unknown[];
  readonly objects?: readonly unknown[];
  readonly variables?: readonly unknown[];
  readonly fields?: readonly unknown[];
  readonly items?: readonly unknown[];
  readonly metering?: readonly unknown[];
  readonly status?: readonly unknown[];
}

/** How many points the devices of a park show, by their device tables. */
export function pointsOf({ meters, equipment }: Park, folder = deviceFolder): number {
  const rows = new Map<string, number>();
  const rowsOf = (id: string): number => {
    const known = rows.get(id);
    if (known !== undefined) return known;
    const table = parse(readFileSync(join(folder, `${id}.yaml`), 'utf8')) as AnyTable;
    const { registers, objects, variables, fields, items, metering = [], status = [] } = table;
    const count = (registers ?? objects ?? variables ?? fields ?? items ?? [...metering, ...status]).length;
    rows.set(id, count);
    return count;
  };
  return [...meters, ...equipment].reduce((sum, { template }) => sum + rowsOf(template), 0);
}

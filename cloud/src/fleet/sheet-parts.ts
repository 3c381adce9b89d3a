import { type OwnTags, OwnTags as OwnTagsSchema } from '@parkline/contract';
import { sql } from 'kysely';
import { Value } from 'typebox/value';
import { type Cell, type Cells, type Column, type Fault, unknownKey } from '../imports/index.ts';
import type { Db } from '../platform/db.ts';

/** Columns that bind a thing to a room and to who holds it. */
export const bindingColumns: readonly Column[] = [
  { name: 'space', zh: '空间编号', type: 'text', example: 'b1-101' },
  { name: 'customer', zh: '租户编号', type: 'text', example: '' },
];
export const tagColumns: readonly Column[] = [
  { name: 'tags', zh: '标签', type: 'list', example: 'critical; stage=2' },
  { name: 'brick', zh: 'Brick 类', type: 'text', pattern: /^[A-Za-z][A-Za-z0-9_-]{0,99}$/, example: '' },
];

/** Spaces and who holds them on a day, both ways, by key. */
export interface Bindings {
  readonly spaces: ReadonlyMap<string, { readonly id: string; readonly customer: string | null }>;
  readonly spacesOf: ReadonlyMap<string, readonly string[]>;
}

/** As of a moment, on the calendar of each site. */
export async function readBindings(trx: Db, accountId: string, at: Date): Promise<Bindings> {
  const { rows } = await sql<{ id: string; key: string; customer: string | null }>`
    select s.id, s.key, (select t.key from lease_space l join tenant t on t.id = l.tenant_id
      where l.account_id = s.account_id and l.space_id = s.id and l.from_date <= d.day and coalesce(l.to_date > d.day, true)
      limit 1) as customer
    from space s join building b on b.id = s.building_id join site i on i.id = b.site_id,
      lateral (select (${at}::timestamptz at time zone i.timezone)::date as day) d
    where s.account_id = ${accountId} order by s.key`.execute(trx);
  const spacesOf = new Map<string, string[]>();
  for (const { key, customer } of rows)
    if (customer !== null) spacesOf.set(customer, [...(spacesOf.get(customer) ?? []), key]);
  return { spaces: new Map(rows.map(({ key, ...space }) => [key, space])), spacesOf };
}

/** The space that a row binds to: the one it names, else the only one that its customer holds. */
export function boundSpace(
  cells: Cells,
  stored: string | null | undefined,
  bindings: Bindings,
): string | null | Fault {
  const { space: named, customer } = cells;
  const space = named === undefined ? (stored ?? null) : (named as string | null);
  if (space !== null && !bindings.spaces.has(space))
    return unknownKey('space', { en: 'space', zh: '空间' }, space);
  if (typeof customer !== 'string') return space;
  const held = bindings.spacesOf.get(customer) ?? [];
  if (space !== null && held.includes(space)) return space;
  if (space === null && held.length === 1) return held[0]!;
  const [en, zh] =
    held.length === 0
      ? [`"${customer}" holds no space today.`, `租户“${customer}”今天没有租用任何空间。`]
      : space === null
        ? [
            `"${customer}" holds several spaces: name the one.`,
            `租户“${customer}”租用多个空间，请填写空间编号。`,
          ]
        : [
            `"${customer}" does not hold the space "${space}" today.`,
            `租户“${customer}”今天并未租用空间“${space}”。`,
          ];
  return { field: 'customer', text: { en, zh } };
}

/** `critical; stage=2; note=roof`: a name alone is a marker. */
export function tagsOf(cell: Cell | undefined, stored: OwnTags | undefined): OwnTags | Fault {
  if (cell === undefined) return stored ?? {};
  const tags = Object.fromEntries(
    ((cell ?? []) as readonly string[]).map((entry) => {
      const [name = '', ...rest] = entry.split('=');
      const value = rest.join('=').trim();
      return [
        name.trim(),
        rest.length === 0 ? true : value !== '' && Number.isFinite(Number(value)) ? Number(value) : value,
      ];
    }),
  );
  if (Value.Check(OwnTagsSchema, tags)) return tags;
  return {
    field: 'tags',
    text: {
      en: 'Tags are names like "critical" or pairs like "stage=2", at most 50.',
      zh: '标签应为“critical”这样的名称或“stage=2”这样的键值，最多 50 个。',
    },
  };
}

export const tagCell = (tags: OwnTags): readonly string[] =>
  Object.entries(tags)
    .map(([name, value]) => (value === true ? name : `${name}=${value}`))
    .toSorted();

export const isFault = (found: unknown): found is Fault =>
  typeof found === 'object' && found !== null && 'field' in found && 'text' in found;

/** Text that compares and is kept as one cell; keys in one order. Pure. */
export const asText = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

import { isDeepStrictEqual } from 'node:util';

/**
 * Only what differs between two states of a thing, for the audit. Null: it was not there before, or is not there any more.
 * Undefined for both where nothing differs. Pure.
 */
export function changedFields(
  before: object | null,
  after: object | null,
): { readonly before?: object; readonly after?: object } {
  if (!before || !after) return { ...(before && { before }), ...(after && { after }) };
  const [was, is] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const names = [...new Set([...was.keys(), ...is.keys()])].filter(
    (name) => !isDeepStrictEqual(was.get(name) ?? null, is.get(name) ?? null),
  );
  if (names.length === 0) return {};
  const only = (from: ReadonlyMap<string, unknown>) =>
    Object.fromEntries(names.map((name) => [name, from.get(name) ?? null]));
  return { before: only(was), after: only(is) };
}

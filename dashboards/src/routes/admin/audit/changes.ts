/** One field of a deed: how it was and how it became. */
export interface FieldChange {
  readonly field: string;
  /** Undefined: was not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

const words = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const fieldsOf = (value: unknown): ReadonlyMap<string, string> =>
  new Map(
    value !== null && typeof value === 'object'
      ? Object.entries(value).map(([field, one]) => [field, words(one)])
      : [],
  );

/** Side by side, in the order in which the fields come; what did not change is left out. Pure. */
export function changesOf(before: unknown, after: unknown): FieldChange[] {
  const [was, is] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((field) => ({ field, before: was.get(field), after: is.get(field) }))
    .filter((change) => change.before !== change.after);
}

/** User of the operating system who did it by the command line on the server; undefined: nobody did. Pure. */
export const operatorOf = (details: unknown): string | undefined => fieldsOf(details).get('commandLine');

/** Which request it was that was refused: 'PATCH /api/people/:id'. Pure. */
export const routeOf = (details: unknown): string | undefined => fieldsOf(details).get('route');

/** Said elsewhere in the entry. */
const told: ReadonlySet<string> = new Set(['commandLine', 'route', 'again', 'further']);

/** What else was noted, a line for each. Pure. */
export const detailsOf = (details: unknown): readonly (readonly [string, string])[] =>
  [...fieldsOf(details)].filter(([field]) => !told.has(field));

/** How often a refusal came again within its minute: the same, or others of the same person that are not told apart. Pure. */
export function repeatsOf(
  details: unknown,
): { readonly kind: 'again' | 'further'; readonly count: number } | undefined {
  const { again, further } = (details ?? {}) as { again?: unknown; further?: unknown };
  if (typeof again === 'number') return { kind: 'again', count: again };
  return typeof further === 'number' ? { kind: 'further', count: further } : undefined;
}

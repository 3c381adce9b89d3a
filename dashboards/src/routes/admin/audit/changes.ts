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

/** What else was noted, a line for each. Pure. */
export const detailsOf = (details: unknown): readonly (readonly [string, string])[] =>
  [...fieldsOf(details)].filter(([field]) => field !== 'commandLine');

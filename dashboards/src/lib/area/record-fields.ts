/** One field of a form that edits a record. Every value is text while it is typed. */
export interface RecordField {
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'number' | 'date' | 'email' | 'tel';
  /** A choice of these instead of text. */
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  readonly required?: boolean;
  readonly hint?: string;
}
export type RecordText = Readonly<Record<string, string>>;

/** What differs between the form and what another saved, as both read. Pure. */
export const differing = (fields: readonly RecordField[], mine: RecordText, theirs: RecordText) =>
  fields
    .filter(({ name }) => (mine[name] ?? '') !== (theirs[name] ?? ''))
    .map(({ name, label, options }) => {
      const read = (value = ''): string => options?.find((option) => option.value === value)?.label ?? value;
      return { name, label, mine: read(mine[name]), theirs: read(theirs[name]) };
    });

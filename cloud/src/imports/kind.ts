import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';

/** A cell after it was read by its column; null where it was left empty. Lists have no order. */
export type Cell = string | number | boolean | null | readonly string[];
/** One thing as it is compared, stored with an import and brought back by an undo. JSON, so without undefined. */
export type Values = Readonly<Record<string, Cell>>;
/** The cells of a row by column; a column that the file lacks is missing. */
export type Cells = Readonly<Partial<Record<string, Cell>>>;

interface Named {
  /** In files and faults: 'area_m2'. Upper and lower case, blanks and underscores do not count in a header. */
  readonly name: string;
  /** Chinese header. */
  readonly zh: string;
  /** Every row must fill it, so every file must have it. */
  readonly required?: boolean;
  /** Stands in the template. */
  readonly example: string;
}
export type Column = Named &
  (
    | { readonly type: 'text'; readonly max?: number; readonly pattern?: RegExp }
    | { readonly type: 'number'; readonly min?: number; readonly max?: number; readonly decimals: number }
    | { readonly type: 'day' }
    /** Keys, parted by semicolons. */
    | { readonly type: 'list' }
    | { readonly type: 'word'; readonly words: Readonly<Record<string, LocalText>> }
  );

export interface Fault {
  /** Name of the column; '' for the row as a whole. */
  readonly field: string;
  readonly text: LocalText;
}
export type RowFault = Fault & { readonly row: number };

/** On whose behalf, and when. The transaction that goes with it shows only what this person may touch. */
export interface Scope {
  readonly accountId: string;
  /** Null for the command line. */
  readonly personId: string | null;
  /** Ids of the buildings that may be touched; null: every one. */
  readonly buildings: readonly string[] | null;
  readonly at: Date;
  readonly newId: NewId;
  /** The rows are about to be changed: read them `for no key update`. */
  readonly locks: boolean;
  readonly ip?: string | undefined;
}

export interface Stored<V extends Values = Values> {
  readonly id: string;
  readonly version: number;
  readonly values: V;
}

/** A row of the file that would add or change something. */
export interface Wanted<V extends Values = Values> {
  /** As a spreadsheet counts; 0 when an undo brings it back. */
  readonly row: number;
  readonly values: V;
  /** What is there now; undefined: nothing yet. */
  readonly stored: Stored<V> | undefined;
}

/** A kind, looked up for one transaction. Every function may rely on what `prepare` read. */
export interface Prepared<V extends Values = Values> {
  /** Everything of this kind that the person sees, by key, in the order of an export. */
  readonly stored: ReadonlyMap<string, Stored<V>>;
  /** The cells of a thing, by column. Reading them again must give `values` back. Left out: `values` are the cells. */
  cells?(values: V): Cells;
  /**
   * What a row asks for: cells that the file lacks stay as `stored` has them. Or everything that is wrong with the row. It is
   * asked of a row with wrong cells, too, which is then `partial`: those are missing, a key is '', and nothing but faults of
   * other columns is used.
   */
  read(cells: Cells, stored: Stored<V> | undefined, partial: boolean): V | readonly Fault[];
  /**
   * Rules between rows: over all that would be added or changed, together with what stays. `amiss` are the keys of rows that are
   * wrong by themselves: what they are to become is not known, and neither they nor who names them are judged by it.
   */
  check?(rows: readonly Wanted<V>[], amiss: ReadonlySet<string>): readonly RowFault[];
  /**
   * What has to follow before a row works: it hinders nothing. Asked of every row that is right by itself, unchanged ones among
   * them, so that the same file tells when nothing is missing any more.
   */
  warn?(rows: readonly Wanted<V>[]): readonly RowFault[];
  /** Stores all rows, as few statements as can be; versions rise by one. Its doing is undone when it tells faults or throws. */
  write(rows: readonly Wanted<V>[]): Promise<readonly RowFault[]>;
  /** Takes away what an import added. @returns what cannot go, and by what it is held. */
  remove(things: readonly Stored<V>[]): Promise<readonly Fault[]>;
}

/**
 * Something that comes and goes in tables. To add a kind:
 * 1. Describe it as a `SheetKind<V>` in its own slice (`fleet/equipment-sheet.ts`), V being a `type` of everything that an
 *    import can change, `key` among it. `prepare` reads all of the account's things and what they refer to in a query or
 *    two, and returns functions over them; `places/space-sheet.ts` is a model.
 * 2. Name it in `cloud/src/sheet-kinds.ts`. Template, dry run, commit, undo, export and both languages follow from that,
 *    in the API, in the portal and on the command line. Adds and changes are audited as `<noun>.added` and `<noun>.changed`.
 * 3. Write the round trip in its test: what is exported and imported again is all unchanged.
 */
export interface SheetKind<V extends Values = Values> {
  /** In addresses, plural: 'spaces'. */
  readonly name: string;
  /** In the audit: 'space'. */
  readonly noun: string;
  readonly title: LocalText;
  /** Permissions to export and to import. */
  readonly reads: string;
  readonly writes: string;
  /** To import takes a second factor of the last ten minutes: where the routes of the same things ask for it, too. */
  readonly fresh?: boolean;
  /** The first is the key that rows are known by. */
  readonly columns: readonly Column[];
  prepare(trx: Db, scope: Scope): Promise<Prepared<V>>;
  /** What of the values the audit may keep for ever; left out: all. */
  audited?(values: V): object;
}

/** A cell as the file has it, else as it is stored, else `usual`. */
export const keptOr = <T extends Cell>(cell: Cell | undefined, stored: T | undefined, usual: T): T =>
  cell === undefined ? (stored === undefined ? usual : stored) : (cell as T);

/** The fault of a cell that names what is not there, or what the person does not see. */
export const unknownKey = (field: string, what: LocalText, key: string): Fault => ({
  field,
  text: { en: `There is no ${what.en} "${key}".`, zh: `没有编号为“${key}”的${what.zh}。` },
});

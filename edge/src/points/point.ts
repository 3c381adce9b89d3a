import type { Unit } from '@parkline/contract';

/** Formats of `parkline points import`. */
export const formats = ['ede', 'modbus', 'haystack', 'brick'] as const;
export type Format = (typeof formats)[number];

/** What a file says of a point. Everything an import may add or change, and nothing it may not. */
export interface PointDraft {
  /** Names the point within its source, for ever: a second import of the same file finds it again by this. */
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly site: string | null;
  readonly equipment: string | null;
  readonly location: string | null;
  /** Whose syntax `address` is; null: the file does not say how the point is read. */
  readonly protocol: 'bacnet' | 'modbus' | null;
  /** BACnet device instance or Modbus unit id. */
  readonly device: number | null;
  /** In the driver's own syntax. */
  readonly address: string | null;
  /** A text cannot be sampled; it is kept so that the list is whole. */
  readonly kind: 'gauge' | 'register' | 'state' | 'text';
  /** Unit of raw x scale + offset; null: none, or one that no point may carry. */
  readonly unit: Unit | null;
  /** The unit in the file's own words. */
  readonly sourceUnit: string | null;
  readonly scale: number;
  readonly offset: number;
  readonly pollMs: number | null;
  readonly writable: boolean;
  /** Lowest and highest value that may be written, in `unit`. */
  readonly min: number | null;
  readonly max: number | null;
  /** Raw values that mean "no measurement". */
  readonly sentinels: readonly number[];
  /** Texts of a state by its number. */
  readonly states: readonly (readonly [value: number, text: string])[];
  readonly tags: readonly string[];
  /** Name of the Brick class. */
  readonly brick: string | null;
  /** Why the point has no address yet, or what else a person should know. */
  readonly note: string | null;
}

/** What is wrong with a file, and where. `row` counts from 1 as an editor or a spreadsheet does; 0 is the file itself. */
export interface Fault {
  readonly row: number;
  readonly field: string;
  readonly message: string;
}

/** A point and the row it came from. */
export interface Found {
  readonly row: number;
  readonly point: PointDraft;
}

/** What a parser makes of a file. */
export interface Parsed {
  /** Scope of the keys, unless the caller names another. */
  readonly source: string;
  readonly found: readonly Found[];
  readonly faults: readonly Fault[];
}

/** A file to parse. Pure parsers get everything through this. */
export interface SourceFile {
  /** Base name, for what has no name of its own. */
  readonly name: string;
  readonly text: string;
  /** Text of a companion file by the end of its name ("StateTexts"), or undefined. */
  beside(ending: string): string | undefined;
}

const empty: Omit<PointDraft, 'key' | 'name'> = {
  description: null,
  site: null,
  equipment: null,
  location: null,
  protocol: null,
  device: null,
  address: null,
  kind: 'gauge',
  unit: null,
  sourceUnit: null,
  scale: 1,
  offset: 0,
  pollMs: null,
  writable: false,
  min: null,
  max: null,
  sentinels: [],
  states: [],
  tags: [],
  brick: null,
  note: null,
};

/** A point with what is known; the rest is absent. Fields stand in one order, so that equal points are equal texts. */
export const draft = (known: Partial<PointDraft> & Pick<PointDraft, 'key' | 'name'>): PointDraft => ({
  ...{ key: known.key, name: known.name },
  ...empty,
  ...known,
});

/** Most faults that are listed; the rest is counted. */
const MAX_FAULTS = 10_000;

/** Collects points and faults of a file, and refuses what is there twice. */
export function createCollector(): {
  /** @param shown The key as the file has it, for a message. */
  add(row: number, point: PointDraft, keyField: string, shown?: string): boolean;
  fault(row: number, field: string, message: string): void;
  done(source: string): Parsed;
} {
  const found: Found[] = [];
  const faults: Fault[] = [];
  const rows = new Map<string, number>();
  let unlisted = 0;
  const fault = (row: number, field: string, message: string): void => {
    if (faults.length < MAX_FAULTS)
      faults.push({ row, field: printable(field), message: printable(message) });
    else unlisted += 1;
  };
  return {
    fault,
    add(row, point, keyField, shown = point.key) {
      const first = rows.get(point.key);
      if (first !== undefined) {
        fault(row, keyField, `${quote(shown)} is there already in row ${first}; each point needs its own`);
        return false;
      }
      rows.set(point.key, row);
      found.push({ row, point });
      return true;
    },
    done(source) {
      if (unlisted > 0) {
        faults.push({ row: 0, field: 'file', message: `${unlisted} more faults are not listed` });
      }
      return { source, found, faults };
    },
  };
}

/** A text without what a terminal would obey. */
// eslint-disable-next-line no-control-regex -- that is what must go
const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '·');

/** A piece of a file in a message: short and on one line. */
export function quote(text: string): string {
  const plain = printable(text.slice(0, 61));
  return `'${plain.length > 60 ? `${plain.slice(0, 60)}…` : plain}'`;
}

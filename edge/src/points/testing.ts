import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseOptions, parsePoints } from './parse.ts';
import type { Format, Parsed, PointDraft } from './point.ts';

const folder = join(import.meta.dirname, '../../../tests/fixtures/points');

/** Bytes of a public or own example file. */
export const fixture = (path: string): Buffer => readFileSync(join(folder, path));

/** Path of an example file, for commands. */
export const fixturePath = (path: string): string => join(folder, path);

/** Parses a text or bytes as a file of that format, with companions by the end of their name. */
export function parse(
  format: Format,
  content: string | Uint8Array,
  options: Partial<ParseOptions> & { companions?: Readonly<Record<string, string | Uint8Array>> } = {},
): Parsed {
  const bytesOf = (text: string | Uint8Array): Uint8Array =>
    typeof text === 'string' ? Buffer.from(text) : text;
  const { companions = {}, ...settings } = options;
  const file = {
    name: 'map.csv',
    bytes: bytesOf(content),
    beside: (ending: string) => (companions[ending] === undefined ? undefined : bytesOf(companions[ending])),
  };
  return parsePoints(file, { format, scaleFactors: new Map(), ...settings });
}

/** What a parse found: points by key without what is empty, faults as `row field`. */
export const byKey = ({ found }: Parsed): Record<string, Partial<PointDraft>> =>
  Object.fromEntries(found.map(({ point }) => [point.key, point]));

export const faultsOf = ({ faults }: Parsed): string[] => faults.map(({ row, field }) => `${row} ${field}`);

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadTemplates } from './load.ts';

/** Ids of the templates of a protocol. */
export const templatesOf = (protocol: string): string[] =>
  [...loadTemplates().values()].filter((template) => template.protocol === protocol).map(({ id }) => id);

/** The simulator's table of the same model: another hand, from the maker's own notation. Read as data, not as code. */
export const deviceFile = <T>(id: string): T =>
  parse(readFileSync(join(import.meta.dirname, '../../../firmware-sim/devices', `${id}.yaml`), 'utf8')) as T;

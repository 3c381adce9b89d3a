import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { schemaErrors } from '@parkline/contract';
import { parse } from 'yaml';
import { Template } from './schema.ts';

/** The templates that come with the product. */
export const templateFolder = join(import.meta.dirname, '..');

/**
 * Checks one template file's text.
 * @throws Error naming the file's id and every fault at once.
 */
export function parseTemplate(text: string, id: string): Template {
  const value: unknown = parse(text);
  const shape = schemaErrors(Template, value).map((fault) => `${fault.instancePath || '/'} ${fault.message}`);
  const faults = shape.length > 0 ? shape : meaningFaults(value as Template, id);
  if (faults.length > 0) throw new Error(`template ${id}: ${faults.join('; ')}`);
  return value as Template;
}

/** What the schema cannot say: identity, unique keys, and the rules of registers and gauges. */
function meaningFaults(template: Template, id: string): string[] {
  const faults: string[] = [];
  if (template.id !== id) faults.push(`id is ${template.id}, its path says ${id}`);
  if (template.kind !== id.split('/')[0])
    faults.push(`kind is ${template.kind}, its folder says ${id.split('/')[0]}`);
  const seen = new Set<string>();
  for (const point of template.points) {
    if (seen.has(point.key)) faults.push(`${point.key} is there twice`);
    seen.add(point.key);
    if (point.kind === 'register' && point.deadband !== 0)
      faults.push(`${point.key}: a register has no deadband`);
    if (point.kind !== 'register' && point.resolution !== 1)
      faults.push(`${point.key}: only a register has a resolution`);
    if (point.states && point.kind !== 'state') faults.push(`${point.key}: only a state has states`);
    if (point.billing && point.kind !== 'register') faults.push(`${point.key}: only a register can bill`);
  }
  return faults;
}

/** @throws Error when there is no such template (it lists what exists) or its file is faulty. */
export function loadTemplate(id: string, folder = templateFolder): Template {
  if (!listTemplates(folder).includes(id)) {
    throw new Error(`no template ${id}; there are ${listTemplates(folder).join(', ')}`);
  }
  return parseTemplate(readFileSync(join(folder, `${id}.yaml`), 'utf8'), id);
}

/** Ids of all templates, sorted. */
export function listTemplates(folder = templateFolder): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^[^/\\.]+[/\\][^/\\]+\.yaml$/.test(path) && !path.startsWith('node_modules'))
    .map((path) => path.slice(0, -'.yaml'.length).replaceAll('\\', '/'))
    .sort();
}

/** Every template by id. */
export function loadTemplates(folder = templateFolder): Map<string, Template> {
  return new Map(listTemplates(folder).map((id) => [id, loadTemplate(id, folder)]));
}

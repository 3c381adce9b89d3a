import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type LocalName, schemaErrors } from '@parkline/contract';
import { whyUnread } from '@parkline/contract/unread';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { Template, type TemplatePoint } from './schema.ts';

/** The templates that come with the product; beside the code in a gateway's bundle. */
export const templateFolder = join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '..' : '../templates',
);

/**
 * Checks one template file's text.
 * @throws Error naming the file's id and every fault at once.
 */
export function parseTemplate(text: string, id: string): Template {
  const value = Value.Default(Template, parse(text));
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
    if (point.billing && point.kind !== 'register') faults.push(`${point.key}: only a register can bill`);
    const { min = -Infinity, max = Infinity } = point.limits ?? {};
    if (min > max) faults.push(`${point.key}: limits.min ${min} is above max ${max}`);
    faults.push(...pointFaults(point, template.kind).map(({ message }) => `${point.key}: ${message.en}`));
  }
  return faults;
}

/** What decides how a point is read and written, wherever it was described. */
export interface ReadablePoint extends Pick<
  TemplatePoint,
  'kind' | 'scale' | 'offset' | 'resolution' | 'deadband'
> {
  readonly states?: TemplatePoint['states'];
  readonly write?: TemplatePoint['write'];
}

/** One thing wrong with a point, and with which part of it. */
export interface PointFault {
  readonly field: 'deadband' | 'resolution' | 'states' | 'offset' | 'scale' | 'write';
  readonly message: LocalName;
}

/** The rules of registers, gauges and states, for a point of a device of this kind. Pure. */
export function pointFaults(point: ReadablePoint, deviceKind: string): PointFault[] {
  const { kind, deadband, resolution, states, offset, scale } = point;
  const faults: PointFault[] = [];
  if (kind === 'register' && deadband !== 0) faults.push({ field: 'deadband', message: pointWords.deadband });
  if (kind !== 'register' && resolution !== 1)
    faults.push({ field: 'resolution', message: pointWords.resolution });
  if (states && kind !== 'state') faults.push({ field: 'states', message: pointWords.states });
  if (offset !== undefined && kind !== 'gauge') faults.push({ field: 'offset', message: pointWords.offset });
  if (scale === 0) faults.push({ field: 'scale', message: pointWords.scale });
  const written = writeFaults(point, deviceKind).map((message) => ({ field: 'write' as const, message }));
  return [...faults, ...written];
}

const pointWords = {
  deadband: { en: 'a register has no deadband', zh: '累计值没有死区' },
  resolution: { en: 'only a register has a resolution', zh: '只有累计值有分辨率' },
  states: { en: 'only a state has states', zh: '只有状态点有状态含义' },
  offset: { en: 'only a gauge has an offset', zh: '只有测量值有偏移' },
  scale: { en: 'scale 0 shows nothing', zh: '系数为 0 时无法显示数值' },
};

const writeWords = {
  register: { en: 'a register cannot be written', zh: '累计值不可写入' },
  order: (min: number, max: number) => ({
    en: `write.min ${min} is above max ${max}`,
    zh: `写入下限 ${min} 高于上限 ${max}`,
  }),
  steps: (max: number, step: number, min: number) => ({
    en: `write.max ${max} is no whole number of steps of ${step} above ${min}`,
    zh: `写入上限 ${max} 不是 ${min} 加上步长 ${step} 的整数倍`,
  }),
  release: (value: number) => ({
    en: `write.release ${value} may not be written itself`,
    zh: `交还值 ${value} 本身不允许写入`,
  }),
  safety: (deviceKind: string) => ({
    en: `people may be hurt by a ${deviceKind}: say safety: true`,
    zh: `${deviceKind} 可能伤人：须设 safety: true`,
  }),
  whole: { en: 'a state is written in whole steps: say step: 1', zh: '状态按整数步写入：须设 step: 1' },
  names: {
    en: 'a state that may be written needs names for its values (states)',
    zh: '可写入的状态须为其取值命名（states）',
  },
};

/** Devices that may hurt people: whatever can be written there needs two of them. */
const SAFETY_KINDS: readonly string[] = ['gate', 'elevator'];

function writeFaults({ kind, write, states }: ReadablePoint, deviceKind: string): LocalName[] {
  if (!write) return [];
  const { min, max, step, release, safety } = write;
  const isStep = (value: number): boolean =>
    step === undefined || Number.isInteger(Number(((value - min) / step).toPrecision(12)));
  const faults: LocalName[] = [];
  if (kind === 'register') faults.push(writeWords.register);
  if (min > max) faults.push(writeWords.order(min, max));
  if (step !== undefined && !isStep(max)) faults.push(writeWords.steps(max, step, min));
  if (release !== undefined && (release < min || release > max || !isStep(release)))
    faults.push(writeWords.release(release));
  if (kind === 'state') faults.push(...stateFaults(step, min, states));
  if (SAFETY_KINDS.includes(deviceKind) && !safety) faults.push(writeWords.safety(deviceKind));
  return faults;
}

/** A state takes whole numbers, and shows people a name for each that it lists. */
function stateFaults(step: number | undefined, min: number, states: TemplatePoint['states']): LocalName[] {
  const isWhole = Number.isInteger(min) && step !== undefined && Number.isInteger(step);
  return [...(isWhole ? [] : [writeWords.whole]), ...(states ? [] : [writeWords.names])];
}

/** @throws Error when there is no such template (it lists what exists) or its file is faulty. */
export function loadTemplate(id: string, folder = templateFolder): Template {
  if (!listTemplates(folder).includes(id)) {
    throw new Error(`no template ${id}; there are ${listTemplates(folder).join(', ')}`);
  }
  return parseTemplate(readFileSync(join(folder, `${id}.yaml`), 'utf8'), id);
}

/**
 * The template of an id, or of a file (a name that ends in .yaml or .yml) that need not lie in its place yet.
 * @param cwd Folder that a relative file name counts from.
 * @throws Error that names the id or the file and every fault of it.
 */
export function findTemplate(idOrFile: string, cwd: string): Template {
  if (!/\.ya?ml$/.test(idOrFile)) return loadTemplate(idOrFile);
  const text = readText(resolve(cwd, idOrFile), idOrFile);
  const { id } = (parse(text) ?? {}) as { id?: unknown };
  if (typeof id !== 'string') throw new Error(`template ${idOrFile}: it has no id`);
  return parseTemplate(text, id);
}

function readText(path: string, shown: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(whyUnread(shown, cause), { cause });
  }
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

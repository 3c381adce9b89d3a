import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaErrors } from '@parkline/contract';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { type Rule, ruleSchemas } from './rule-schema.ts';

export type Rules = ReadonlyMap<string, Rule>;

/** Rules are data: one file each, named after its key. */
export const rulesFolder = join(import.meta.dirname, 'rules');

/** @throws Error naming every fault of every file, so that one correction is enough. */
export function loadRules(folder = rulesFolder): Rules {
  const rules = new Map<string, Rule>();
  const faults: string[] = [];
  for (const name of readdirSync(folder)
    .filter((one) => one.endsWith('.yaml'))
    .sort()) {
    const result = parseRule(readFileSync(join(folder, name), 'utf8'), name.slice(0, -'.yaml'.length));
    if (result.ok) rules.set(result.rule.key, result.rule);
    else faults.push(...result.faults);
  }
  for (const rule of rules.values()) {
    for (const key of explained(rule))
      if (!rules.has(key)) faults.push(`${rule.key}: explains ${key}, which is no rule`);
    if (isCircular(rules, rule)) faults.push(`${rule.key}: explains itself through others`);
  }
  if (faults.length > 0) throw new Error(`fault rules: ${faults.join('; ')}`);
  return rules;
}

const explained = ({ explains }: Rule): string[] => [...(explains?.same ?? []), ...(explains?.served ?? [])];

function isCircular(rules: Rules, start: Rule): boolean {
  // A set hands out what is added while it is walked.
  const reached = new Set(explained(start));
  for (const key of reached) for (const next of explained(rules.get(key) ?? start)) reached.add(next);
  return reached.has(start.key);
}

type Parsed = { readonly ok: true; readonly rule: Rule } | { readonly ok: false; readonly faults: string[] };

/** Checks one rule's text; `key` is what its file is called. Pure. */
export function parseRule(text: string, key: string): Parsed {
  const value: unknown = parse(text);
  const kind = (value as { kind?: unknown } | null)?.kind;
  const schema = Object.hasOwn(ruleSchemas, String(kind))
    ? ruleSchemas[kind as keyof typeof ruleSchemas]
    : undefined;
  if (!schema)
    return {
      ok: false,
      faults: [`${key}: kind must be one of ${Object.keys(ruleSchemas).join(', ')}`],
    };
  if (!Value.Check(schema, value))
    return {
      ok: false,
      faults: schemaErrors(schema, value).map((one) => `${key}: ${one.instancePath || '/'} ${one.message}`),
    };
  const faults = meaningFaults(value, key).map((fault) => `${key}: ${fault}`);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, rule: value };
}

/** What the schema cannot say. */
function meaningFaults(rule: Rule, key: string): string[] {
  const faults: string[] = [];
  if (rule.key !== key) faults.push(`key is ${rule.key}, its file says ${key}`);
  if (rule.kind === 'threshold') {
    const isState = rule.equals !== undefined;
    if (isState === (rule.limit !== undefined)) faults.push('needs either equals, or side and limit');
    if (isState !== (rule.side === undefined)) faults.push('side belongs to limit');
  }
  if (rule.kind === 'no-data' && rule.of === 'gateway' && (rule.equipment ?? rule.except))
    faults.push('a rule of gateways names no equipment');
  const limit = limitOf(rule);
  if (limit && (limit.min > limit.value || limit.value > limit.max))
    faults.push(`limit ${limit.value} is outside ${limit.min} to ${limit.max}`);
  const known = new Set([
    ...pointKeys(rule),
    'limit',
    'for',
    'lastOkAt',
    'heardAt',
    'error',
    'before',
    'after',
    'fill',
    'hoursLeft',
    'off',
  ]);
  for (const text of [rule.detail.en, rule.detail.zh])
    for (const [, name = ''] of text.matchAll(/\{(\w+)\}/g))
      if (!known.has(name)) faults.push(`detail names {${name}}, which the rule does not look at`);
  return faults;
}

/** What an account may set; undefined where there is nothing to set. */
export const limitOf = (rule: Rule) =>
  rule.kind === 'threshold' || rule.kind === 'comparison' || rule.kind === 'filling' || rule.kind === 'clock'
    ? rule.limit
    : undefined;

/** Keys of the points that a rule reads; of a step-back rule a device has one of them. */
export function pointKeys(rule: Rule): readonly string[] {
  const shown = rule.shows ?? [];
  const guards = (rule.kind === 'threshold' || rule.kind === 'comparison') && rule.while ? rule.while : [];
  const guarded = guards.map(({ point }) => point);
  switch (rule.kind) {
    case 'threshold':
      return [rule.point, ...guarded, ...shown];
    case 'comparison':
      return [rule.left, rule.right, ...guarded, ...shown];
    case 'frozen':
      return [rule.point, ...shown];
    case 'step-back':
      return rule.points;
    case 'no-data':
    case 'filling':
    case 'clock':
      return [];
  }
}

/** Whether a rule looks at equipment of this kind. */
export function looksAt(rule: Rule, kind: string): boolean {
  if (rule.kind === 'step-back') return true;
  if (rule.kind === 'filling' || rule.kind === 'clock') return false;
  if (rule.kind === 'no-data') {
    if (rule.of === 'gateway') return false;
    return rule.equipment?.includes(kind) ?? !rule.except?.includes(kind);
  }
  return rule.equipment.includes(kind);
}

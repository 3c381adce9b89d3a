import type { Fault, FaultRule, Language } from '@parkline/contract';
import { inLanguage, type LocalText } from '../platform/i18n.ts';
import type { KeptSetting, Setting } from './evaluate.ts';
import type { FaultRow } from './repository.ts';
import type { Rule } from './rule-schema.ts';
import { limitOf, type Rules } from './rules.ts';
import type { Evidence } from './tables.ts';

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;

/** A rule that is gone leaves its old episodes: they are called by its key. */
export const titleOf = (rules: Rules, key: string): LocalText =>
  rules.get(key)?.title ?? { en: key, zh: key };

/** The episode as a person reads it. Pure. */
export function faultView(row: FaultRow, rules: Rules, language: Language): Fault {
  const rule = rules.get(row.rule);
  const name = row.equipmentName ?? row.gatewayName;
  return {
    ...{ id: row.id, rule: row.rule, severity: row.severity, pointIds: row.pointIds },
    title: inLanguage(titleOf(rules, row.rule), language),
    advice: rule ? inLanguage(rule.advice, language) : '',
    state: row.clearedAt ? 'cleared' : 'open',
    ...{ equipmentId: row.equipmentId, gatewayId: row.gatewayId },
    equipmentName: name ? inLanguage(name, language) : '',
    ...{ buildingId: row.buildingId, floorId: row.floorId },
    detail: rule ? sentence(rule, row.evidence, { language, timezone: row.timezone }) : '',
    openedAt: row.openedAt.toISOString(),
    ...{ clearedAt: iso(row.clearedAt), clearedWhy: row.clearedWhy },
    ...{ acknowledgedAt: iso(row.acknowledgedAt), acknowledgedBy: row.acknowledgedByName },
    endsByAcknowledging: rule?.latched ?? false,
    ...{ causeId: row.causeId, consequences: row.consequences },
    ...{ orderId: row.orderId, orderState: row.orderState, orderNumber: row.orderNumber },
  };
}

interface Reader {
  readonly language: Language;
  /** IANA zone of the site. */
  readonly timezone: string;
}

/** Fills the sentence of a rule from what was stored. What is not there is left empty, never made up. Pure. */
export function sentence(rule: Rule, evidence: Evidence, reader: Reader): string {
  const { language } = reader;
  const limit = limitOf(rule);
  return inLanguage(rule.detail, language)
    .replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
      if (name === 'for') return duration(evidence.forS, language);
      if (name === 'limit')
        return withUnit({ value: evidence.limit ?? 0, unit: limit?.unit ?? '1', decimals: 1 });
      if (name === 'lastOkAt' || name === 'heardAt') return instant(evidence[name], reader);
      if (name === 'error') return evidence.error ?? '';
      const value = evidence.values[name];
      return value ? withUnit(value) : '—';
    })
    .trim();
}

const withUnit = ({ value, unit, decimals }: { value: number; unit: string; decimals: number }): string => {
  const digits = new Intl.NumberFormat('en-US', { maximumFractionDigits: decimals }).format(value);
  return unit === '1' ? digits : unit === '%' ? `${digits}%` : `${digits} ${unit}`;
};

function duration(seconds: number, language: Language): string {
  const isMinutes = seconds >= 60 && seconds % 60 === 0;
  const n = isMinutes ? seconds / 60 : seconds;
  return language === 'zh-CN' ? `${n} ${isMinutes ? '分钟' : '秒'}` : `${n} ${isMinutes ? 'min' : 's'}`;
}

/** '2026-11-22 14:00:00 UTC+8': the site's clock, and which one that is. */
function instant(at: string | null | undefined, { language, timezone }: Reader): string {
  if (!at) return language === 'zh-CN' ? '从未' : 'never';
  const parts = { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' } as const;
  const time = new Intl.DateTimeFormat('sv-SE', parts).format(new Date(at));
  const zone = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'shortOffset' })
    .formatToParts(new Date(at))
    .find(({ type }) => type === 'timeZoneName');
  return `${time} ${zone?.value.replace('GMT', 'UTC') ?? timezone}`;
}

/** A rule with what holds in an account. Pure. */
export function ruleView(rule: Rule, setting: KeptSetting | undefined, language: Language): FaultRule {
  const limit = limitOf(rule);
  const preset = presetOf(rule);
  return {
    key: rule.key,
    title: inLanguage(rule.title, language),
    advice: inLanguage(rule.advice, language),
    ...{ kind: rule.kind, severity: rule.severity, skill: rule.skill },
    equipmentKinds: 'equipment' in rule ? [...(rule.equipment ?? [])] : [],
    ...(setting ?? { ...preset, version: 0 }),
    limitUnit: limit?.unit ?? null,
    limitRange: limit ? { min: limit.min, max: limit.max } : null,
    preset,
  };
}

export const presetOf = (rule: Rule): Setting => ({
  ...{ enabled: true, forS: rule.for, limit: limitOf(rule)?.value ?? null },
});

/** What is wrong with a setting of a rule, in words for a program's log and a field's hint; undefined: nothing. Pure. */
export function settingFault(rule: Rule, { limit }: Setting): LocalText | undefined {
  const known = limitOf(rule);
  if (!known)
    return limit === null
      ? undefined
      : { en: 'must be null: this rule has no limit', zh: '须为 null：此规则没有限值' };
  if (limit === null) return { en: 'must be a number', zh: '须为数字' };
  const { min, max } = known;
  return limit < min || limit > max
    ? { en: `must be ${min} to ${max}`, zh: `须在 ${min} 至 ${max} 之间` }
    : undefined;
}

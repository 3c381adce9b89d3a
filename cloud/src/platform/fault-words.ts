import { MAIL, PHONE } from '@parkline/contract';
import type { TLocalizedValidationError } from 'typebox/error';
import type { LocalText } from './i18n.ts';

const types: Readonly<Record<string, string>> = {
  array: '列表',
  boolean: 'true 或 false',
  integer: '整数',
  null: 'null',
  number: '数字',
  object: '对象',
  string: '文本',
};

const listed = (values: readonly unknown[]): string => values.map((one) => JSON.stringify(one)).join('、');

const mailWords: LocalText = {
  en: 'must be a mail address like name@example.com',
  zh: '须为邮箱地址，如 name@example.com',
};
/** Rules that say nothing to who reads their name, by that name or that pattern. */
const known: Readonly<Record<string, LocalText>> = {
  email: mailWords,
  [MAIL.source]: mailWords,
  date: { en: 'must be a day like 2026-03-01', zh: '须为日期，如 2026-03-01' },
  [PHONE.source]: {
    en: 'must be a phone number like +86 21 5555 0100 or 021-55550100 ext. 8',
    zh: '须为电话号码，如 +86 21 5555 0100 或 021-55550100 转 8',
  },
};

/** What a field lacks, for who sent it. Where a rule has no words of its own the English is the validator's. Pure. */
export const faultWords = (fault: TLocalizedValidationError): LocalText =>
  known[ruleOf(fault)] ?? { en: fault.message, zh: chinese(fault) };

const ruleOf = ({ keyword, params }: TLocalizedValidationError): string =>
  keyword === 'format' ? params.format : keyword === 'pattern' ? String(params.pattern) : '';

function chinese(fault: TLocalizedValidationError): string {
  switch (fault.keyword) {
    case 'type':
      return `须为${[fault.params.type]
        .flat()
        .map((one) => types[one] ?? one)
        .join('或')}`;
    case 'minLength':
      return `至少 ${fault.params.limit} 个字符`;
    case 'maxLength':
      return `至多 ${fault.params.limit} 个字符`;
    case 'minItems':
      return `至少 ${fault.params.limit} 项`;
    case 'maxItems':
      return `至多 ${fault.params.limit} 项`;
    case 'uniqueItems':
      return '不得有重复项';
    case 'minimum':
      return `不得小于 ${fault.params.limit}`;
    case 'maximum':
      return `不得大于 ${fault.params.limit}`;
    case 'exclusiveMinimum':
      return `须大于 ${fault.params.limit}`;
    case 'exclusiveMaximum':
      return `须小于 ${fault.params.limit}`;
    case 'pattern':
      return `须符合格式 ${fault.params.pattern}`;
    case 'format':
      return `须为 ${fault.params.format} 格式`;
    case 'const':
      return `须为 ${listed([fault.params.allowedValue])}`;
    case 'enum':
      return `须为其中之一：${listed(fault.params.allowedValues)}`;
    case 'anyOf':
    case 'oneOf':
      return '不是允许的任何一种值';
    default:
      return '不符合要求';
  }
}

/** What the validator does not say itself. */
export const ownWords = {
  required: { en: 'is required', zh: '为必填项' },
  unknown: { en: 'is not known here', zh: '不是可用的字段' },
  nul: { en: 'must not hold a NUL', zh: '不得含有 NUL 字符' },
  bothLanguages: {
    en: 'must be a text in both languages: {"en": "…", "zh": "…"}',
    zh: '须提供两种语言的文本：{"en": "…", "zh": "…"}',
  },
} as const satisfies Readonly<Record<string, LocalText>>;

/** What several slices say of a field; their own words are theirs. */
export const fieldWords = {
  notNext: { en: 'is not the next of an earlier page', zh: '不是之前某页的 next' },
  laterThan: (field: string) => ({ en: `must be later than ${field}`, zh: `须晚于 ${field}` }),
  within: (days: number, field: string) => ({
    en: `must be at most ${days} days after ${field}`,
    zh: `不得晚于 ${field} 之后 ${days} 天`,
  }),
  notSeen: { en: 'names nothing that you see', zh: '所指内容不存在，或不在您的权限范围内' },
  noPlace: { en: 'names a place that is not there', zh: '所指的园区、楼宇或楼层不存在' },
  noBuilding: { en: 'is no building of this account', zh: '不是本账户的楼宇' },
  noGateway: { en: 'is no gateway of this account', zh: '不是本账户的网关' },
  oneOf: (names: readonly string[]) => ({
    en: `must be one of ${names.join(', ')}`,
    zh: `须为其中之一：${names.join('、')}`,
  }),
  twice: { en: 'is there twice', zh: '重复' },
} as const satisfies Readonly<Record<string, LocalText | ((...of: never[]) => LocalText)>>;

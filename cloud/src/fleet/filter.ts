import { HDict, HFilter, HMarker, HNum, HBool, HRef, HStr, type HVal } from 'haystack-core';
import { badFields } from '../platform/errors.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { Tags, TagValue } from './tags.ts';

const filterWords = {
  definitions: (term: string) => ({
    en: `${term} asks for definitions, which are not kept here`,
    zh: `${term} 涉及定义查询，此处不支持`,
  }),
  unit: (term: string, unit: string, bare: string) => ({
    en: `${term} has a unit, and numbers of tags have none here: ask for unit=="${unit}" and for ${bare}`,
    zh: `${term} 带有单位，而此处标签的数值不带单位：请同时查询 unit=="${unit}" 与 ${bare}`,
  }),
  time: (term: string) => ({
    en: `${term} is a day or a time, which are texts in tags here: write "${term}"`,
    zh: `${term} 是日期或时间，在此处的标签中为文本，请写作 "${term}"`,
  }),
  /** The parser says in English what it misses; where is what helps. */
  unreadable: (message: string) => ({ en: message.replace(/\.$/, ''), zh: '筛选条件无法识别' }),
  at: ({ en, zh }: LocalText, position: number) => ({
    en: `${en}, at character ${position + 1}`,
    zh: `${zh}（第 ${position + 1} 个字符）`,
  }),
};

/** A filter that is ready to be asked. */
export type TagFilter = (tags: Tags) => boolean;

/** The filter cannot be read; `position` counts characters from 0. */
export class FilterError extends Error {
  readonly position: number;
  readonly text: LocalText;
  constructor(text: LocalText, position: number, options?: ErrorOptions) {
    super(text.en, options);
    this.name = 'FilterError';
    this.text = text;
    this.position = position;
  }
}

/**
 * Reads a filter of Project Haystack, `point and zone and temp`, `siteRef==@mill`, `equipRef->ahu`. `resolve` finds what a
 * reference leads to. @throws FilterError.
 */
export function parseFilter(text: string, resolve: (ref: string) => Tags | undefined): TagFilter {
  refuseForeign(text.replaceAll(/"(?:[^"\\]|\\.)*"/g, (s) => '_'.repeat(s.length)));
  const node = parsed(text);
  const dicts = new Map<Tags, HDict>();
  const dictOf = (tags: Tags): HDict => {
    const known = dicts.get(tags);
    if (known) return known;
    const dict = toDict(tags);
    dicts.set(tags, dict);
    return dict;
  };
  const found = (ref: HRef): HDict | undefined => {
    const tags = resolve(ref.value);
    return tags && dictOf(tags);
  };
  // What is asked itself is asked once: only what references lead to is worth keeping.
  return (tags) => node.eval({ dict: toDict(tags), resolve: found });
}

/** What the parser takes and no tag here could ever answer. @throws FilterError. */
function refuseForeign(bare: string): void {
  const asked = /(?:^|[\s(])(\^[\w:-]+|[a-z]\w*(?:-\w+)*\?)/.exec(bare);
  if (asked)
    throw new FilterError(filterWords.definitions(asked[1]!), asked.index + asked[0].indexOf(asked[1]!));
  const time = /(?<![\w@:.~-])(?:\d{4}-\d\d-\d\d|\d\d:\d\d)[\w:.+-]*/.exec(bare);
  if (time) throw new FilterError(filterWords.time(time[0]), time.index);
  const number =
    /(?<![\w@:.~-])(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![eE][+-]?\d)([a-zA-Z%_/$\u0080-\uffff]+)/.exec(bare);
  if (number) throw new FilterError(filterWords.unit(number[0], number[2]!, number[1]!), number.index);
}

function parsed(text: string): ReturnType<typeof HFilter.parse> {
  try {
    return HFilter.parse(text);
  } catch (cause) {
    const { message, index } = cause as Error & { readonly index?: unknown };
    throw new FilterError(filterWords.unreadable(message), positionOf(text, index), { cause });
  }
}

/** Where the parser says, else behind the longest beginning that is a filter by itself. */
function positionOf(text: string, told: unknown): number {
  if (typeof told === 'number') return Math.min(told, text.length);
  const end = text.trimEnd();
  if (end === '' || /(?:^|\s)(and|or|not)$/.test(end) || isOpen(end)) return end.length;
  for (let length = end.length - 1; length > 0; length -= 1) {
    if (!isFilter(text.slice(0, length))) continue;
    return length + (/^\s*/.exec(text.slice(length))?.[0].length ?? 0);
  }
  return 0;
}

/** Whether a parenthesis waits for its end. */
function isOpen(text: string): boolean {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '');
  return bare.split('(').length > bare.split(')').length;
}

function isFilter(text: string): boolean {
  try {
    HFilter.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws AppError 'bad_input' with the field and the position of the first thing that cannot be read. */
export function filterOf(text: string, resolve: (ref: string) => Tags | undefined): TagFilter {
  try {
    return parseFilter(text, resolve);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const { text: said, position } = error;
    const fault = { field: 'filter', message: filterWords.at(said, position), position };
    throw badFields([fault], { cause: error });
  }
}

/** Tags as the Haystack library has them. */
export const toDict = (tags: Tags): HDict =>
  HDict.make(Object.fromEntries([...tags].map(([name, value]) => [name, toValue(name, value, tags)])));

function toValue(name: string, value: TagValue, tags: Tags): HVal {
  if (value === true) return HMarker.make();
  if (typeof value === 'boolean') return HBool.make(value);
  if (typeof value === 'number') return HNum.make(value);
  if (typeof value === 'string') return HStr.make(value);
  return HRef.make(value.ref, name === 'id' ? String(tags.get('dis') ?? '') : '');
}

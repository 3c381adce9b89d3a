import { AppError } from '../platform/errors.ts';
import type { LocalText } from '../platform/i18n.ts';
import { holderName } from './holder-words.ts';

/** What PostgreSQL says of a rule that was broken; its manual, appendix A. */
interface Refusal {
  readonly code?: string;
  readonly table?: string;
  readonly constraint?: string;
  readonly message?: string;
}

/** Why the database refused what it was given, for programs and for people; undefined: it failed for another reason. */
export function refusalOf(error: unknown): { readonly why: string; readonly text: LocalText } | undefined {
  const { code, message = '', table = '', constraint = '' } = (error ?? {}) as Refusal;
  switch (code) {
    case '23505': // unique_violation
      return {
        why: 'key_taken',
        text: {
          en: 'Something with this key exists already, perhaps where you may not look.',
          zh: '编号已被占用（可能在您无权查看的范围内）。',
        },
      };
    case '23503': // foreign_key_violation
      return { why: 'held', text: held(holderName(table)) };
    case '23P01': // exclusion_violation
      return { why: 'overlap', text: overlap(message) };
    case '23514': // check_violation
      return {
        why: 'rule',
        text: { en: `A rule forbids this: ${message}.`, zh: `违反数据规则 ${constraint}。` },
      };
    case '42501': // insufficient_privilege: row-level security
      return {
        why: 'out_of_reach',
        text: { en: 'Your right does not reach there.', zh: '超出您的权限范围。' },
      };
    default:
      return undefined;
  }
}

const held = ({ en, zh }: LocalText): LocalText => ({
  en: `It is still used: ${en}.`,
  zh: `仍被使用：${zh}。`,
});

/** What our own triggers say of two at the same time (migrations 0021 and 0040). */
function overlap(message: string): LocalText {
  const [, space, lease] = /^space (.+) is leased by (.+) on some of the same days$/.exec(message) ?? [];
  if (space !== undefined)
    return { en: `${message}.`, zh: `空间 ${space} 在部分相同日期已由 ${lease} 租用。` };
  const [, point] = /^usage point (.+) has a meter at that time$/.exec(message) ?? [];
  return {
    en: `${message}.`,
    zh: point === undefined ? '与已有记录的时间重叠。' : `计量点 ${point} 在该时段已有表计。`,
  };
}

/** Does the work; what the database refuses of it becomes an answer. @throws AppError 'conflict', 'forbidden' or 'bad_input'. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const refusal = refusalOf(cause);
    if (!refusal) throw cause;
    const { why, text } = refusal;
    const code = why === 'out_of_reach' ? 'forbidden' : 'conflict';
    throw new AppError(code, text.en, { cause, details: { why } });
  }
}

import { AppError } from '../platform/errors.ts';
import type { LocalText } from '../platform/i18n.ts';

/** What PostgreSQL says of a rule that was broken; its manual, appendix A. */
interface Refusal {
  readonly code?: string;
  readonly table?: string;
  readonly constraint?: string;
  readonly message?: string;
}

/** Why the database refused what it was given, for programs and for people; undefined: it failed for another reason. */
export function refusalOf(error: unknown): { readonly why: string; readonly text: LocalText } | undefined {
  const { code, message = '', table = '' } = (error ?? {}) as Refusal;
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
      return { why: 'held', text: { en: `It is still used by ${table}.`, zh: `仍被 ${table} 使用。` } };
    case '23P01': // exclusion_violation
      return { why: 'overlap', text: { en: `${message}.`, zh: `时间重叠：${message}。` } };
    case '23514': // check_violation
      return { why: 'rule', text: { en: `A rule forbids this: ${message}.`, zh: `违反规则：${message}。` } };
    case '42501': // insufficient_privilege: row-level security
      return {
        why: 'out_of_reach',
        text: { en: 'Your right does not reach there.', zh: '超出您的权限范围。' },
      };
    default:
      return undefined;
  }
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

import type { LocalText } from '../platform/i18n.ts';

/** What PostgreSQL says of a rule that was broken; its manual, appendix A. */
interface Refusal {
  readonly code?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly message?: string;
  readonly detail?: string;
}

/** In words, what the database refused because of what it was given; undefined: it failed for another reason. */
export function refusalOf(error: unknown): LocalText | undefined {
  const { code, message = '', detail = '', table = '' } = (error ?? {}) as Refusal;
  switch (code) {
    case '23505': // unique_violation
      return {
        en: `Something with this key exists already, perhaps where you may not look. ${detail}`.trim(),
        zh: `编号已被占用（可能在您无权查看的范围内）。${detail}`,
      };
    case '23503': // foreign_key_violation
      return { en: `It is still used by ${table}.`, zh: `仍被 ${table} 使用。` };
    case '23P01': // exclusion_violation
      return { en: `${message}.`, zh: `时间重叠：${message}。` };
    case '23514': // check_violation
      return { en: `A rule forbids this: ${message}.`, zh: `违反规则：${message}。` };
    case '42501': // insufficient_privilege: row-level security
      return { en: 'Your right does not reach there.', zh: '超出您的权限范围。' };
    default:
      return undefined;
  }
}

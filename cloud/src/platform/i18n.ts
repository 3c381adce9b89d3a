import type { Language } from '@parkline/contract';
import type { ErrorCode } from './errors.ts';

/** A text in both languages of the product, as names are stored. */
export interface LocalText {
  readonly en: string;
  readonly zh: string;
}

/** The language a browser asks for: the first of its list that is Chinese or English, by its order of wish; else English. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const wishes = (acceptLanguage ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...rest] = part.trim().toLowerCase().split(';');
      const q = rest.map((one) => /^\s*q=([\d.]+)$/.exec(one)?.[1]).find(Boolean);
      return { tag, weight: q === undefined ? 1 : Number(q) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  const first = wishes.find(({ tag }) => /^(zh|en)(-|$)/.test(tag));
  return first?.tag.startsWith('zh') ? 'zh-CN' : 'en';
}

export const inLanguage = (text: LocalText, language: Language): string =>
  language === 'zh-CN' ? text.zh : text.en;

/** The words of a state's whole numbers. */
export const wordsIn = (
  language: Language,
  states: Readonly<Record<string, LocalText>>,
): Record<string, string> =>
  Object.fromEntries(Object.entries(states).map(([value, text]) => [value, inLanguage(text, language)]));

/** What a person reads when a request fails. Never says more than the code does. */
export const errorTexts: Readonly<Record<ErrorCode, LocalText>> = {
  bad_input: { en: 'Something in the request is not right.', zh: '请求内容有误。' },
  not_logged_in: { en: 'Please log in.', zh: '请先登录。' },
  login_refused: { en: 'Login or password is not right.', zh: '用户名或密码不正确。' },
  forbidden: {
    en: 'You may not do this. An administrator can grant it.',
    zh: '您没有此权限，可请管理员授权。',
  },
  foreign_origin: { en: 'This request came from another site.', zh: '请求来自其他网站，已拒绝。' },
  setup_refused: {
    en: 'The set-up token is not right, or set-up is done.',
    zh: '初始化令牌不正确，或初始化已完成。',
  },
  not_found: { en: 'There is no such thing here.', zh: '找不到所请求的内容。' },
  conflict: { en: 'This was changed meanwhile. Please reload.', zh: '内容已被他人修改，请刷新后重试。' },
  too_large: { en: 'The request is too large.', zh: '请求内容过大。' },
  unsupported_media: { en: 'This kind of content is not accepted.', zh: '不接受此类型的内容。' },
  too_many_requests: { en: 'Too many attempts. Please wait a moment.', zh: '尝试次数过多，请稍后再试。' },
  internal: { en: 'Something went wrong on our side.', zh: '系统内部出现错误。' },
  unavailable: { en: 'The service is not available just now.', zh: '服务暂时不可用。' },
};

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
  code_refused: {
    en: 'Wrong, or used already: wait for the next code.',
    zh: '验证码错误或已使用过，请等待下一个验证码。',
  },
  passkey_refused: {
    en: 'This passkey did not prove itself. Please try again.',
    zh: '通行密钥验证未通过，请重试。',
  },
  password_refused: { en: 'The old password is not right.', zh: '原密码不正确。' },
  forbidden: {
    en: 'You may not do this. An administrator can grant it.',
    zh: '您没有此权限，可请管理员授权。',
  },
  foreign_origin: { en: 'This request came from another site.', zh: '请求来自其他网站，已拒绝。' },
  csrf_refused: {
    en: 'The page is out of date with your login. Please reload it.',
    zh: '页面与当前登录不一致，请刷新页面。',
  },
  setup_refused: {
    en: 'The set-up token is not right, or set-up is done.',
    zh: '初始化令牌不正确，或初始化已完成。',
  },
  claim_refused: { en: 'This claim is refused.', zh: '网关认领被拒绝。' },
  not_found: { en: 'There is no such thing here.', zh: '找不到所请求的内容。' },
  second_factor_needed: {
    en: 'Please confirm with your second factor.',
    zh: '请使用第二验证因素确认。',
  },
  second_factor_enrol: {
    en: 'Your role needs a second factor. Please set one up first.',
    zh: '您的角色需要第二验证因素，请先设置。',
  },
  stale_edit: {
    en: 'Somebody else changed this meanwhile. Look at their change, then save again.',
    zh: '他人已修改此内容。请查看其修改后再保存。',
  },
  in_progress: {
    en: 'The same request is still being carried out. Please ask again in a moment.',
    zh: '相同的请求正在处理中，请稍后再试。',
  },
  already_done: {
    en: 'This was done already; what it answered is not shown a second time.',
    zh: '该操作已完成，其结果不再重复显示。',
  },
  not_sealed: {
    en: 'This report is not sealed yet: an installer and an engineer sign it first, then it takes a moment.',
    zh: '报告尚未封存：须先由安装人员和工程师签字，随后稍候片刻。',
  },
  unprocessable: { en: 'This cannot be done as things stand.', zh: '按目前的情况无法完成此操作。' },
  precondition_required: {
    en: 'The change must name the version it was made on.',
    zh: '修改须注明其所基于的版本。',
  },
  conflict: { en: 'This does not fit what is there now.', zh: '与现有数据冲突，无法执行。' },
  link_refused: {
    en: 'This link does not work any more. Ask for a new one.',
    zh: '此链接已失效，请重新获取。',
  },
  too_large: { en: 'The request is too large.', zh: '请求内容过大。' },
  unsupported_media: { en: 'This kind of content is not accepted.', zh: '不接受此类型的内容。' },
  too_many_requests: { en: 'Too many attempts. Please wait a moment.', zh: '尝试次数过多，请稍后再试。' },
  internal: { en: 'Something went wrong on our side.', zh: '系统内部出现错误。' },
  unavailable: { en: 'The service is not available just now.', zh: '服务暂时不可用。' },
  busy: {
    en: 'The same things are being changed by others just now. Please try again in a moment.',
    zh: '他人正在修改相同的内容，请稍后重试。',
  },
};

import type { Language } from '@parkline/contract';
import type { Mail } from '../platform/mail.ts';

/** A mail without its reader. */
type Letter = Pick<Mail, 'subject' | 'text'>;

/** What a letter needs to know; `link` lets in whoever holds it. */
export interface LetterFacts {
  readonly name: string;
  readonly accountName: string;
  readonly link: string;
  readonly login: string;
}

const lines = (...text: string[]): string => `${text.join('\n\n')}\n`;

export const invitationLetter: Record<Language, (facts: LetterFacts & { inviter: string }) => Letter> = {
  en: ({ name, accountName, link, login, inviter }) => ({
    subject: `Your access to ${accountName}`,
    text: lines(
      `Hello ${name},`,
      `${inviter} invites you to ${accountName} on Parkline. Your login name is ${login}.`,
      `Open this link and choose a password. It works once, for 7 days:`,
      link,
      `If you did not expect this, do nothing: without the link nobody gets in.`,
    ),
  }),
  'zh-CN': ({ name, accountName, link, login, inviter }) => ({
    subject: `${accountName} 的访问邀请`,
    text: lines(
      `${name}，您好：`,
      `${inviter} 邀请您使用 ${accountName} 的 Parkline 系统。您的登录名是 ${login}。`,
      `请打开以下链接设置密码。链接 7 天内有效，仅可使用一次：`,
      link,
      `如非您本人所期，请忽略本邮件：没有此链接，任何人都无法登录。`,
    ),
  }),
};

export const resetLetter: Record<Language, (facts: LetterFacts) => Letter> = {
  en: ({ name, accountName, link, login }) => ({
    subject: `New password for ${accountName}`,
    text: lines(
      `Hello ${name},`,
      `somebody, probably you, asked for a new password for the login ${login} at ${accountName}.`,
      `Open this link to choose one. It works once, for 30 minutes:`,
      link,
      `If it was not you, do nothing: your password stays as it is.`,
    ),
  }),
  'zh-CN': ({ name, accountName, link, login }) => ({
    subject: `${accountName} 密码重置`,
    text: lines(
      `${name}，您好：`,
      `有人（可能是您本人）申请重置 ${accountName} 登录名 ${login} 的密码。`,
      `请打开以下链接设置新密码。链接 30 分钟内有效，仅可使用一次：`,
      link,
      `如非您本人操作，请忽略本邮件：密码不会改变。`,
    ),
  }),
};

export const passwordChangedLetter: Record<Language, (facts: Omit<LetterFacts, 'link'>) => Letter> = {
  en: ({ name, accountName, login }) => ({
    subject: `Your password for ${accountName} was changed`,
    text: lines(
      `Hello ${name},`,
      `the password of the login ${login} at ${accountName} was changed through a link sent by mail, and every session was ended.`,
      `If it was not you, tell the administrator of ${accountName} at once.`,
    ),
  }),
  'zh-CN': ({ name, accountName, login }) => ({
    subject: `${accountName} 的密码已更改`,
    text: lines(
      `${name}，您好：`,
      `${accountName} 登录名 ${login} 的密码已通过邮件链接更改，所有登录均已退出。`,
      `如非您本人操作，请立即联系 ${accountName} 的管理员。`,
    ),
  }),
};

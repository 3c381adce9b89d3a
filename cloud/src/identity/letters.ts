import type { Language } from '@parkline/contract';
import type { Mail } from '../platform/mail.ts';

/** A mail without its reader. */
export type Letter = Pick<Mail, 'subject' | 'text'>;

/** What a letter needs to know; `link` lets in whoever holds it. */
export interface LetterFacts {
  readonly name: string;
  readonly accountName: string;
  readonly link: string;
  readonly login: string;
}

/** Of a letter that tells of a change and opens nothing. */
export interface NoticeFacts extends Omit<LetterFacts, 'link'> {
  /** Name of who changed it; empty where the reader's own link did. */
  readonly by: string;
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

export const passwordChangedLetter: Record<Language, (facts: NoticeFacts) => Letter> = {
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

/** To the address that was there before: whoever reads it may be the only one who knows that it is wrong. */
export const addressChangedLetter: Record<Language, (facts: NoticeFacts) => Letter> = {
  en: ({ name, accountName, login, by }) => ({
    subject: `Your mail address at ${accountName} was changed`,
    text: lines(
      `Hello ${name},`,
      `${by} changed the mail address of the login ${login} at ${accountName}. This address is no longer used: links for a new password go to the other one.`,
      `If that is wrong, tell an administrator of ${accountName} at once, best by telephone or in person. Until it is settled, log in and end all your other sessions under “Your account”.`,
      `There is nothing to open or to answer in this mail.`,
    ),
  }),
  'zh-CN': ({ name, accountName, login, by }) => ({
    subject: `您在 ${accountName} 的邮箱地址已更改`,
    text: lines(
      `${name}，您好：`,
      `${by} 更改了 ${accountName} 登录名 ${login} 的邮箱地址。本邮箱不再使用，密码重置链接将发送到新邮箱。`,
      `如有误，请立即联系 ${accountName} 的管理员，最好通过电话或当面确认。在此之前，请登录并在“我的账户”中退出其他所有登录。`,
      `本邮件不含链接，无需回复。`,
    ),
  }),
};

export const factorResetLetter: Record<Language, (facts: NoticeFacts) => Letter> = {
  en: ({ name, accountName, login, by }) => ({
    subject: `Your second factor at ${accountName} was reset`,
    text: lines(
      `Hello ${name},`,
      `${by} took the second factors off the login ${login} at ${accountName}, and every session was ended. Your password is the same; set up a second factor again after your next login.`,
      `If you did not ask for it, tell an administrator of ${accountName} at once, best by telephone or in person, and change your password.`,
      `There is nothing to open or to answer in this mail.`,
    ),
  }),
  'zh-CN': ({ name, accountName, login, by }) => ({
    subject: `您在 ${accountName} 的第二验证因素已重置`,
    text: lines(
      `${name}，您好：`,
      `${by} 重置了 ${accountName} 登录名 ${login} 的第二验证因素，所有登录均已退出。密码不变；请在下次登录后重新设置第二验证因素。`,
      `如非您本人要求，请立即联系 ${accountName} 的管理员，最好通过电话或当面确认，并更改密码。`,
      `本邮件不含链接，无需回复。`,
    ),
  }),
};

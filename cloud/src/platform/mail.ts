import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Language } from '@parkline/contract';
import { createTransport } from 'nodemailer';
import type { Logger } from 'pino';
import type { Now } from './clock.ts';
import type { Db } from './db.ts';
import type { NewId } from './ids.ts';
import { jobs } from './jobs.ts';
import type { JobHandlers } from './run-jobs.ts';

/** A letter in plain text, in the reader's language. */
export interface Mail {
  /** One mailbox: `MailAddress` of the contract. */
  readonly to: string;
  readonly language: Language;
  /** One line. */
  readonly subject: string;
  readonly text: string;
}

/** Delivers at once. A job calls it, so that a server which is away delays a mail and loses none. */
export interface Mailer {
  /** @throws MailError when it could not be handed over. Neither it nor the log says what the mail says. */
  send(mail: Mail): Promise<void>;
}

/** The mail server did not take a mail, or its file could not be written; `cause` says why. */
export class MailError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MailError';
  }
}

export interface MailerDeps {
  /** `smtp://` (STARTTLS where offered; demanded of another machine that gets a password) or `smtps://`. */
  readonly url?: string | undefined;
  /** Without `url` every mail becomes a file here, readable by this user alone. */
  readonly dir: string;
  /** Sender, as `MailAddress` of the contract. */
  readonly from: string;
  readonly now: Now;
  readonly newId: NewId;
  readonly log: Logger;
}

/** How long the mail server may think. */
const PATIENCE = {
  connectionTimeout: 5_000,
  greetingTimeout: 5_000,
  socketTimeout: 10_000,
  dnsTimeout: 5_000,
};

export function createMailer(deps: MailerDeps): Mailer {
  const { url, now, newId, log } = deps;
  const transport = url
    ? createTransport({ ...serverOf(url), ...PATIENCE, disableFileAccess: true, disableUrlAccess: true })
    : undefined;
  const letter = ({ to, language, subject, text }: Mail) => ({
    from: { name: 'Parkline', address: deps.from },
    to: { name: '', address: to },
    subject,
    text,
    date: now(),
    messageId: `<${newId()}@${deps.from.split('@')[1]}>`,
    headers: { 'Content-Language': language, 'Auto-Submitted': 'auto-generated' },
  });
  return {
    async send(mail) {
      try {
        await (transport ? transport.sendMail(letter(mail)) : keep(asFile(letter(mail))));
      } catch (cause) {
        throw new MailError(url ? 'the mail server took no mail' : `no mail can be kept in ${deps.dir}`, {
          cause: withoutContent(cause),
        });
      }
    },
  };

  async function keep(message: string): Promise<void> {
    await mkdir(deps.dir, { recursive: true, mode: 0o700 });
    const file = join(deps.dir, `${now().toISOString().replaceAll(':', '')}-${newId()}.eml`);
    await writeFile(file, message, { mode: 0o600, flag: 'wx' });
    log.info({ file }, 'mail kept as a file');
  }
}

interface Letter {
  readonly from: { readonly name: string; readonly address: string };
  readonly to: { readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly date: Date;
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A mail as it is read and copied from by eye: UTF-8 as it is (RFC 6532), no line broken, no link cut in two. Pure. */
export function asFile({ from, to, subject, text, date, messageId, headers }: Letter): string {
  const lines = {
    ...{ From: `${from.name} <${from.address}>`, To: to.address, Subject: subject },
    ...{ Date: date.toUTCString().replace('GMT', '+0000'), 'Message-ID': messageId, ...headers },
    ...{ 'Content-Type': 'text/plain; charset=utf-8', 'Content-Transfer-Encoding': '8bit' },
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, ' ')}`);
  return `${head.join('\n')}\n\n${text}\n`;
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

/** What nodemailer wants to know; a password crosses a network only inside of TLS. @throws Error on an address without a host. */
export function serverOf(address: string) {
  const url = new URL(address);
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!host) throw new Error('MAIL_URL names no host');
  const [user, pass] = [url.username, url.password].map(decodeURIComponent);
  return {
    host,
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && Boolean(user) && !LOOPBACK.test(url.hostname),
    ...(user && { auth: { user, pass: pass ?? '' } }),
  };
}

/** What the server answered and how it failed, for the log. Nodemailer's errors may hold the mail itself. */
function withoutContent(cause: unknown): Error {
  const { message, code, responseCode } = cause as { message?: string; code?: string; responseCode?: number };
  return new Error([code, responseCode, message?.split('\n')[0]?.slice(0, 300)].filter(Boolean).join(' '));
}

export const MAIL_TASK = 'mail.send';

/** Puts a mail into the queue, in the transaction of what it tells of. For a mail with a secret in it make a job of your own. */
export const queueMail = (
  trx: Db,
  newId: NewId,
  { accountId, at, ...mail }: Mail & { readonly accountId: string; readonly at: Date },
): Promise<void> =>
  jobs.enqueue(trx, newId, { accountId, task: MAIL_TASK, key: newId(), payload: mail, dueAt: at });

/** Handles what {@link queueMail} queued. */
export const mailJobs = (mailer: Mailer): JobHandlers => ({
  [MAIL_TASK]: (_trx, { payload }) => mailer.send(payload as Mail),
});

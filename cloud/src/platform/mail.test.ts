import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, expect, test } from 'vitest';
import { bodyOf, startMailSink } from '../../../tests/support/mail.ts';
import { createMailer, type Mail, serverOf } from './mail.ts';

const sink = await startMailSink();
const dir = await mkdtemp(join(tmpdir(), 'parkline-mail-'));
afterAll(async () => {
  await sink.stop();
  await rm(dir, { recursive: true });
});

const lines: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
let ids = 0;
const mailerAt = (url?: string) =>
  createMailer({
    ...{ url, dir, from: 'park@example.org', log, now: () => new Date('2026-11-23T08:00:00Z') },
    newId: () => `id-${++ids}`,
  });
const mail: Mail = {
  to: 'an@example.org',
  language: 'zh-CN',
  subject: '欢迎来到园区',
  text: '请打开链接：https://park.example/invitation#secret-of-the-link\n.\n一行点号不会结束邮件\n',
};

test('a mail reaches the mail server as it was written, a line with a dot and all', async () => {
  await mailerAt(sink.url).send(mail);
  const taken = await sink.until(({ to }) => to.includes(mail.to));
  expect([taken.from, taken.to]).toEqual(['park@example.org', ['an@example.org']]);
  expect(taken.text.replaceAll('\r\n', '\n').trimEnd()).toBe(mail.text.trimEnd());
  expect(taken.raw).toMatch(/^Content-Language: zh-CN\r?$/m);
  expect(taken.raw).toMatch(/^Subject: =\?UTF-8\?/m);
});

test('a subject or an address with line ends makes no further header and no further reader', async () => {
  const before = sink.mails.length;
  await mailerAt(sink.url).send({ ...mail, subject: 'Hello\r\nBcc: thief@example.org' });
  const taken = await sink.until(() => true, before);
  expect(taken.raw).not.toMatch(/^Bcc:/im);
  expect(taken.to).toEqual(['an@example.org']);
});

test('a refusal is an error that tells neither the text nor the link', async () => {
  sink.refuse(true);
  const refused = mailerAt(sink.url).send(mail);
  await expect(refused).rejects.toMatchObject({ name: 'MailError', message: 'the mail server took no mail' });
  const error = (await refused.catch((cause: unknown) => cause)) as Error;
  expect(String((error.cause as Error).message)).toContain('451');
  expect(JSON.stringify([error.message, String(error.cause), error.stack])).not.toContain(
    'secret-of-the-link',
  );
  sink.refuse(false);
});

test('a password crosses a network only inside of TLS', () => {
  expect(serverOf('smtp://park:s%3Acret@mail.example.org')).toMatchObject({
    ...{ host: 'mail.example.org', port: 587, secure: false, requireTLS: true },
    auth: { user: 'park', pass: 's:cret' },
  });
  expect(serverOf('smtps://park:secret@mail.example.org')).toMatchObject({ port: 465, secure: true });
  expect(serverOf('smtp://park:secret@127.0.0.1:1025')).toMatchObject({ port: 1025, requireTLS: false });
});

test('without a server a mail is a file for this user alone, and the log names the file only', async () => {
  const link = `https://park.example/invitation#secret-of-the-link${'x'.repeat(100)}`;
  await mailerAt().send({ ...mail, subject: '园区邀请', text: `请打开链接：\n${link}` });
  const [name = ''] = await readdir(dir);
  expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  const raw = await readFile(join(dir, name), 'utf8');
  // It is copied from by eye: nothing is encoded, and no link is cut in two.
  expect(raw).toContain(`\n\n请打开链接：\n${link}\n`);
  expect(raw).toContain('\nSubject: 园区邀请\n');
  expect(bodyOf(raw)).toContain(link);
  expect(lines.join('')).toContain(name);
  expect(lines.join('')).not.toContain('secret-of-the-link');
});

import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A letter as the server took it. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and body, CRLF, dots unstuffed. */
  readonly raw: string;
  /** The body as a person reads it: transfer encoding taken off. */
  readonly text: string;
}

/** A mail server (RFC 5321) that keeps what it is given. */
export interface MailSink {
  readonly url: string;
  readonly mails: readonly TakenMail[];
  /** Makes it answer every recipient with 451 until told otherwise. */
  refuse(yes: boolean): void;
  /** Resolves with the first mail that passes; mails before `from` do not count. */
  until(wanted: (mail: TakenMail) => boolean, from?: number): Promise<TakenMail>;
  stop(): Promise<void>;
}

export async function startMailSink(): Promise<MailSink> {
  const mails: TakenMail[] = [];
  const sockets = new Set<Socket>();
  let refusing = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(socket, { isRefusing: () => refusing, take: (mail) => mails.push(mail) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    refuse: (yes) => {
      refusing = yes;
    },
    async until(wanted, from = 0) {
      for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
        const found = mails.slice(from).find(wanted);
        if (found) return found;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`no such mail among ${mails.length}`);
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serve(
  socket: Socket,
  { isRefusing, take }: { isRefusing(): boolean; take(mail: TakenMail): void },
): void {
  let [from, to, data, rest] = ['', [] as string[], undefined as string[] | undefined, ''];
  const say = (line: string) => socket.write(`${line}\r\n`);

  function hear(line: string): void {
    if (data) {
      if (line !== '.') return void data.push(line.replace(/^\./, ''));
      const raw = data.join('\r\n');
      take({ from, to, raw, text: bodyOf(raw) });
      [from, to, data] = ['', [], undefined];
      return void say('250 taken');
    }
    const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
    const verb = line.split(/[ :]/)[0]?.toUpperCase();
    if (verb === 'EHLO') return void say('250-sink\r\n250 8BITMIME');
    if (verb === 'MAIL') from = address;
    if (verb === 'RCPT') {
      if (isRefusing()) return void say('451 not now');
      to.push(address);
    }
    if (verb === 'DATA') {
      data = [];
      return void say('354 go on');
    }
    if (verb === 'QUIT') {
      say('221 bye');
      return void socket.end();
    }
    say('250 ok');
  }

  say('220 sink');
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n');
    rest = lines.pop() ?? '';
    lines.forEach(hear);
  });
}

/** Takes base64 or quoted-printable (RFC 2045) off the body of a letter of one part. */
export function bodyOf(raw: string): string {
  const [head = '', ...body] = raw.split(/\r?\n\r?\n/);
  const text = body.join('\n\n');
  const encoding = /^content-transfer-encoding:\s*(\S+)/im.exec(head)?.[1]?.toLowerCase();
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return text;
  const bytes = text
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

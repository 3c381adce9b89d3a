import { requestOut, type Resolve, urlFault } from '../platform/outbound.ts';

export interface Sending {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `status` and `reply` as far as something came back; `error` says why that is not good enough, null: it is. */
export interface Sent {
  readonly status: number | null;
  readonly reply: string | null;
  readonly error: string | null;
}

export type Send = (sending: Sending, signal: AbortSignal) => Promise<Sent>;

export interface SendOptions {
  /** For development: plain http, and receivers on this machine or network. */
  readonly allowPrivate: boolean;
  readonly resolve?: Resolve;
  /** A receiver that needs longer has not answered. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;
const REPLY_CHARS = 1_000;

/** POSTs to addresses of other people. Never rejects, follows no redirect, reads no more of an answer than is kept. */
export function createSend({ allowPrivate, resolve, timeoutMs = TIMEOUT_MS }: SendOptions): Send {
  return async ({ url, headers, body }, signal) => {
    const fault = urlFault(url, allowPrivate);
    if (fault) return { status: null, reply: null, error: `the address ${fault.en}` };
    const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    return new Promise((done) => {
      const fail = (err: Error): void => {
        const why = stop.aborted && !signal.aborted ? `no answer within ${timeoutMs / 1_000} s` : err.message;
        done({ status: null, reply: null, error: why.slice(0, 500) });
      };
      const out = requestOut(
        url,
        { allowPrivate, resolve },
        {
          method: 'POST',
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          signal: stop,
        },
      );
      out.on('error', fail);
      out.on('response', (answer) => {
        const status = answer.statusCode ?? 0;
        let reply = '';
        const finish = (): void => {
          const error = status >= 200 && status < 300 ? null : `HTTP ${status}`;
          done({ status, reply: storable(reply), error });
          out.destroy();
        };
        answer.setEncoding('utf8').on('error', finish).on('end', finish);
        answer.on('data', (text: string) => {
          reply += text;
          if (reply.length >= REPLY_CHARS) finish();
        });
      });
      out.end(body);
    });
  };
}

/** As PostgreSQL can keep it: whole characters, no NUL. */
const storable = (text: string): string => text.slice(0, REPLY_CHARS).toWellFormed().replaceAll('\0', '�');

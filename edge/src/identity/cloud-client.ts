import { createHash, X509Certificate } from 'node:crypto';
import { request } from 'node:http';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/** wrong_use: the address or pin is none. untrusted: the server is not the one that was meant. refused: it said no. */
export type CloudErrorCode = 'wrong_use' | 'untrusted' | 'unreachable' | 'refused';

/** A step with the cloud failed. The message says what to do. */
export class CloudError extends Error {
  readonly code: CloudErrorCode;
  /** The cloud's own word for it: 'used', 'expired'. */
  readonly why: string | undefined;

  constructor(
    code: CloudErrorCode,
    message: string,
    options: { why?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CloudError';
    this.code = code;
    this.why = options.why;
  }
}

export interface CloudAddress {
  /** `https://cloud`; `http://` only to this machine itself. */
  readonly url: string;
  /** `sha256/BASE64` of the server certificate's public key (SPKI), as in RFC 7469. */
  readonly pin?: string | undefined;
  /** PEM of the one authority that is believed in place of the system's. */
  readonly ca?: string | undefined;
}

/** The cloud before anybody knows this gateway. */
export interface CloudClient {
  /** @throws CloudError. */
  post(path: string, body: object): Promise<unknown>;
}

const TIMEOUT_MS = 20_000;
const MOST_BYTES = 8 * 1024 * 1024;
const PIN = /^sha256\/([A-Za-z0-9+/]{43}=)$/;

/** @throws CloudError 'wrong_use'. */
export function createCloudClient({ url: text, pin, ca }: CloudAddress): CloudClient {
  const url = readUrl(text);
  const wanted = pin === undefined ? undefined : PIN.exec(pin)?.[1];
  if (pin !== undefined && wanted === undefined)
    throw new CloudError('wrong_use', `--pin ${pin}: write sha256/ and the base64 of the SHA-256 of the key`);
  if (url.protocol === 'http:' && (pin !== undefined || ca !== undefined))
    throw new CloudError('wrong_use', 'a pin or an authority goes with https:// only');
  return {
    async post(path, body) {
      const socket = url.protocol === 'https:' ? await openTls(url, wanted, ca) : await openPlain(url);
      try {
        return await send(url, path, JSON.stringify(body), socket);
      } finally {
        socket.destroy();
      }
    },
  };
}

function readUrl(text: string): URL {
  if (!URL.canParse(text))
    throw new CloudError('wrong_use', `--url ${text}: write https:// and the name of the cloud`);
  const url = new URL(text);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url;
  const why =
    url.protocol === 'http:'
      ? 'http:// would show the code to everybody on the way'
      : `${url.protocol} is no way to a cloud`;
  throw new CloudError('wrong_use', `--url ${text}: ${why}; write https://`);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80);
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

function openPlain(url: URL): Promise<Socket> {
  return opened(connectPlain({ host: hostOf(url), port: portOf(url) }), 'connect', url);
}

/** With a pin the key alone decides, unless an authority is named too; the code is sent to nobody else. */
async function openTls(url: URL, pin: string | undefined, ca: string | undefined): Promise<Socket> {
  const host = hostOf(url);
  const socket = await opened<TLSSocket>(
    connectTls({
      ...{ host, port: portOf(url), minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] },
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== undefined && { ca }),
      rejectUnauthorized: pin === undefined || ca !== undefined,
    }),
    'secureConnect',
    url,
  );
  if (pin === undefined) return socket;
  const found = pinOf(new X509Certificate(socket.getPeerCertificate().raw));
  if (found === pin) return socket;
  socket.destroy();
  throw new CloudError(
    'untrusted',
    `${url.host} shows another key, sha256/${found}: this is not the server that --pin means; nothing was sent`,
  );
}

/** SHA-256 of the public key, base64. */
export const pinOf = (certificate: X509Certificate): string =>
  createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');

function opened<T extends Socket>(socket: T, event: string, url: URL): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => {
      socket.destroy();
      reject(failureOf(url, cause));
    };
    socket.setTimeout(TIMEOUT_MS, () => {
      fail(new Error('no answer in time'));
    });
    socket.once('error', fail).once(event, () => {
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

const UNTRUSTED = /^(CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;

function failureOf(url: URL, cause: NodeJS.ErrnoException): CloudError {
  if (UNTRUSTED.test(cause.code ?? ''))
    return new CloudError(
      'untrusted',
      `${url.host} cannot prove who it is (${cause.message}); nothing was sent. Name its authority with --ca, or its key with --pin`,
      { cause },
    );
  return new CloudError('unreachable', `${url.host} does not answer: ${cause.message}`, { cause });
}

function send(url: URL, path: string, body: string, socket: Socket): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(cause instanceof CloudError ? cause : failureOf(url, cause));
    };
    const call = request(
      {
        ...{ method: 'POST', path, host: url.hostname, createConnection: () => socket },
        headers: {
          ...{ host: url.host, 'content-type': 'application/json', 'accept-language': 'en' },
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        let length = 0;
        response.on('data', (part: Buffer) => {
          length += part.length;
          if (length > MOST_BYTES) call.destroy(new Error('the answer is too long'));
          else parts.push(part);
        });
        response.once('error', fail).once('end', () => {
          try {
            resolve(answerOf(url, response.statusCode ?? 0, Buffer.concat(parts).toString('utf8')));
          } catch (error) {
            fail(error as Error);
          }
        });
      },
    );
    call.setTimeout(TIMEOUT_MS, () => call.destroy(new Error('no answer in time')));
    call.once('error', fail).end(body);
  });
}

interface Refusal {
  readonly message?: string;
  readonly details?: { readonly why?: string };
}

function answerOf(url: URL, status: number, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CloudError(
      'unreachable',
      `${url.host} is no cloud of Parkline: it answers with something else`,
      { cause },
    );
  }
  if (status >= 200 && status < 300) return value;
  const { message = `HTTP ${status}`, details } = value as Refusal;
  const why = details?.why;
  const code = status === 403 || status === 429 || status === 400 ? 'refused' : 'unreachable';
  throw new CloudError(code, why === undefined ? message : (meanings[why] ?? `${message} (${why})`), { why });
}

/** What a refusal means to the person at the gateway. */
const meanings: Readonly<Record<string, string>> = {
  unknown_code: 'the cloud does not know this code: is it typed right, and is it of this cloud?',
  expired: 'the code is past its time: ask an administrator for a new one',
  revoked: 'the code was taken back: ask an administrator for a new one',
  used: 'the code was used by another gateway; the administrators have been told. Ask for a new one',
  other_site:
    'the code is for another site than gateway.yaml says: compare the two before you ask for another code',
  challenge: 'this attempt took too long: run the command again',
  signature: 'the cloud does not believe the keys of this gateway: run the command again',
  key_in_use:
    'another gateway has these keys: was this home copied? Remove keys/next.json and run the command again',
};

import { lookup, type LookupAddress } from 'node:dns';
import {
  type ClientRequest,
  type IncomingMessage,
  request as overHttp,
  type RequestOptions,
} from 'node:http';
import { request as overHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { LocalText } from './i18n.ts';

/** An address that nothing is sent to on behalf of somebody who typed it. */
export class ForbiddenAddressError extends Error {
  readonly code = 'forbidden_address';
  constructor(message: string) {
    super(message);
    this.name = 'ForbiddenAddressError';
  }
}

// IANA IPv4 and IPv6 Special-Purpose Address Registries: all that is not globally reachable, and the ways to write an
// IPv4 address as an IPv6 one (mapped, NAT64, 6to4, Teredo), behind which any of them could hide.
// One list for each family: a list of both would take every IPv4 address for a mapped one.
const closed = { 4: new BlockList(), 6: new BlockList() };
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  closed[4].addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  closed[6].addSubnet(net, bits, 'ipv6');

/** Whether an IP address is one that anybody on the internet reaches. Pure. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !closed[4].check(address, 'ipv4');
  return family === 6 && !closed[6].check(address, 'ipv6');
}

const urlWords = {
  none: { en: 'is no URL', zh: '不是有效的 URL' },
  credentials: { en: 'must not hold a name or password', zh: '不得含有用户名或密码' },
  http: { en: 'must be http or https', zh: '须为 http 或 https 地址' },
  https: { en: 'must be https', zh: '须为 https 地址' },
  address: { en: 'is not a public address', zh: '不是公网地址' },
  name: { en: 'is not a public name', zh: '不是公网域名' },
} as const satisfies Readonly<Record<string, LocalText>>;

/** Why nothing is sent to a URL that somebody typed, before anything is looked up; undefined: it can. Pure. */
export function urlFault(text: string, allowPrivate: boolean): LocalText | undefined {
  if (!URL.canParse(text)) return urlWords.none;
  const { protocol, hostname, username, password } = new URL(text);
  if (username || password) return urlWords.credentials;
  if (allowPrivate) return /^https?:$/.test(protocol) ? undefined : urlWords.http;
  if (protocol !== 'https:') return urlWords.https;
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !isPublic(address)) return urlWords.address;
  return /(^|\.)(localhost|local|internal)$/i.test(hostname.replace(/\.$/, '')) ? urlWords.name : undefined;
}

/** How a name is looked up; replaced in tests. */
export type Resolve = (
  hostname: string,
  done: (err: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const system: Resolve = (hostname, done) => lookup(hostname, { all: true, order: 'verbatim' }, done);

/**
 * A lookup for `connect` that hands out public addresses only. What was checked is what is connected to, so a name that
 * answers differently the next moment gains nothing. One bad address among good ones is a trap, and refuses all.
 */
export const guardedLookup =
  (resolve: Resolve = system): LookupFunction =>
  (hostname, { all }, callback) =>
    resolve(hostname, (err, addresses) => {
      if (err) return callback(err, []);
      const bad = addresses.find(({ address }) => !isPublic(address));
      const [first] = addresses;
      if (bad || !first)
        return callback(
          new ForbiddenAddressError(
            `${hostname} is at ${bad?.address ?? 'no address'}, which is not a public address`,
          ),
          [],
        );
      return all ? callback(null, addresses) : callback(null, first.address, first.family);
    });

/** How far what somebody typed may lead. */
export interface Reach {
  /** Plain http, and addresses on this machine or network, too. */
  readonly allowPrivate: boolean;
  readonly resolve?: Resolve | undefined;
}

/**
 * Begins a request to an address that somebody typed; redirects are not followed. No connection is used twice: each is made
 * to an address that was just checked. @throws ForbiddenAddressError, or it is emitted as 'error' once the name is known.
 */
export function requestOut(
  url: string,
  { allowPrivate, resolve }: Reach,
  options: RequestOptions,
): ClientRequest {
  const fault = urlFault(url, allowPrivate);
  if (fault) throw new ForbiddenAddressError(`the address ${fault.en}`);
  const request = url.startsWith('https:') ? overHttps : overHttp;
  return request(url, { ...options, agent: false, ...(!allowPrivate && { lookup: guardedLookup(resolve) }) });
}

/** What `fetch` is given by those who fetch for themselves. */
export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** No description of a provider, and no token, is longer. */
const LONGEST_ANSWER = 1_048_576;

/** As `fetch` of public addresses and of the hosts named in `allowHosts`, without following redirects. */
export const createGuardedFetch =
  ({ allowHosts, resolve }: { readonly allowHosts: ReadonlySet<string>; readonly resolve?: Resolve }) =>
  async (
    url: string,
    { method = 'GET', headers = {}, body, signal }: FetchOptions = {},
  ): Promise<Response> => {
    const allowPrivate = allowHosts.has(hostOf(url));
    const given = body === undefined || body === null ? undefined : String(body);
    const answer = await new Promise<IncomingMessage>((settle, reject) => {
      const out = requestOut(
        url,
        { allowPrivate, resolve },
        {
          method,
          headers: { ...headers, ...(given !== undefined && { 'content-length': Buffer.byteLength(given) }) },
          ...(signal && { signal }),
        },
      );
      out.on('error', reject).on('response', settle).end(given);
    });
    return responseOf(answer);
  };

/** Of a URL, as it is named in a list of hosts. */
export const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname.toLowerCase() : '');

async function responseOf(answer: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LONGEST_ANSWER) throw new Error(`an answer of more than ${LONGEST_ANSWER} bytes`);
    chunks.push(chunk);
  }
  const status = answer.statusCode ?? 0;
  const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  const isEmpty = status === 204 || status === 205 || status === 304;
  return new Response(isEmpty ? null : Buffer.concat(chunks), { status, headers });
}

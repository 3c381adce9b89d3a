import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** An address that no webhook is sent to. */
export class ForbiddenAddressError extends Error {
  readonly code = 'forbidden_address';
  constructor(host: string, address: string) {
    super(`${host} is at ${address}, which is not a public address`);
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

/** Why a URL cannot be a receiver, before anything is looked up; undefined: it can. Pure. */
export function urlFault(text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return 'is no URL';
  const { protocol, hostname, username, password } = new URL(text);
  if (username || password) return 'must not hold a name or password';
  if (allowPrivate) return /^https?:$/.test(protocol) ? undefined : 'must be http or https';
  if (protocol !== 'https:') return 'must be https';
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !isPublic(address)) return 'is not a public address';
  return /(^|\.)(localhost|local|internal)$/i.test(hostname.replace(/\.$/, ''))
    ? 'is not a public name'
    : undefined;
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
        return callback(new ForbiddenAddressError(hostname, bad?.address ?? 'no address'), []);
      return all ? callback(null, addresses) : callback(null, first.address, first.family);
    });

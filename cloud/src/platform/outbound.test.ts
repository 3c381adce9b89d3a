import { afterAll, describe, expect, test } from 'vitest';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuardedFetch, ForbiddenAddressError, guardedLookup, isPublic, urlFault } from './outbound.ts';

test.each([
  ['127.0.0.1', false],
  ['127.8.9.1', false],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['172.32.0.1', true],
  ['192.168.1.1', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['198.18.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['8.8.8.8', true],
  ['::1', false],
  ['::', false],
  ['::7f00:1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['2001:0:1::1', false],
  ['fe80::1', false],
  ['fd00::1', false],
  ['ff02::1', false],
  ['2606:4700:4700::1111', true],
  ['no address', false],
])('%s is public: %s', (address, is) => expect(isPublic(address)).toBe(is));

test.each([
  ['https://example.com/hook?a=1', undefined],
  ['https://8.8.8.8/hook', undefined],
  ['http://example.com/hook', 'must be https'],
  ['ftp://example.com', 'must be https'],
  ['https://localhost/x', 'is not a public name'],
  ['https://a.localhost./x', 'is not a public name'],
  ['https://printer.local', 'is not a public name'],
  ['https://127.0.0.1/x', 'is not a public address'],
  ['https://2130706433/x', 'is not a public address'],
  ['https://0x7f.1/x', 'is not a public address'],
  ['https://0177.0.0.1/x', 'is not a public address'],
  ['https://[::1]/x', 'is not a public address'],
  ['https://[::ffff:10.0.0.1]/x', 'is not a public address'],
  ['https://me:pw@example.com/', 'must not hold a name or password'],
  ['not one', 'is no URL'],
])('%s as a receiver: %s', (url, fault) => expect(urlFault(url, false)?.en).toBe(fault));

test('for development a receiver may be on this machine, and still nothing but http', () => {
  expect(urlFault('http://127.0.0.1:8080/x', true)).toBeUndefined();
  expect(urlFault('file:///etc/passwd', true)?.en).toBe('must be http or https');
});

/** What `connect` gets for a name that resolves to these. */
const looked = (addresses: string[], all: boolean) =>
  new Promise((resolve) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    guardedLookup((_name, done) => done(null, found))('name.example', { all }, (err, address) =>
      resolve(err ?? address),
    );
  });

test('a name is connected to by the addresses that were checked', async () => {
  expect(await looked(['8.8.8.8', '2606:4700::1'], true)).toEqual([
    { address: '8.8.8.8', family: 4 },
    { address: '2606:4700::1', family: 6 },
  ]);
  expect(await looked(['8.8.8.8'], false)).toBe('8.8.8.8');
});

test('one inner address among public ones refuses them all', async () => {
  for (const all of [true, false]) {
    const err = await looked(['8.8.8.8', '10.0.0.5'], all);
    expect(err).toBeInstanceOf(ForbiddenAddressError);
    expect(String(err)).toContain('10.0.0.5');
  }
  expect(await looked([], true)).toBeInstanceOf(ForbiddenAddressError);
});

describe('fetching what somebody typed', () => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (request.url === '/moved') response.writeHead(302, { location: '/secret' }).end();
    else if (request.url === '/long') response.end('x'.repeat(2_000_000));
    else request.pipe(response.writeHead(200, { 'x-how': String(request.method) }));
  }).listen(0, '127.0.0.1');
  afterAll(() => server.close());
  const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const here = createGuardedFetch({ allowHosts: new Set(['127.0.0.1']) });
  const nowhere = createGuardedFetch({
    allowHosts: new Set(['other.example']),
    resolve: (_name, done) => done(null, [{ address: '169.254.169.254', family: 4 }]),
  });

  test('reaches a host that is named, whole and without going where it points', async () => {
    const reply = await here(url('/'), { method: 'POST', body: new URLSearchParams({ a: 'é' }) });
    expect([reply.status, reply.headers.get('x-how'), await reply.text()]).toEqual([200, 'POST', 'a=%C3%A9']);
    const before = asked;
    expect((await here(url('/moved'))).status).toBe(302);
    expect(asked - before).toBe(1);
    await expect(here(url('/long'))).rejects.toThrow('more than 1048576 bytes');
    await expect(here(url('/'), { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  test.each([
    'https://127.0.0.1',
    'https://169.254.169.254/latest',
    'https://[fd00::1]',
    'https://name.example',
    '',
  ])('asks nothing of %s', async (address) => {
    const before = asked;
    await expect(nowhere(address || url('/'))).rejects.toBeInstanceOf(ForbiddenAddressError);
    expect(asked).toBe(before);
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { accessOptions, connectFailure, readNatsCredentials, tlsFilesOf } from './nats-access.ts';
import { scratch } from './testing/scratch.ts';

describe('what a failed connection means', () => {
  test.each([
    ['error connecting - node provided an undefined error', /write tls:\/\/ in nats\.url/],
    ['write EPROTO ssl3_get_record:wrong version number', /does not begin with TLS/],
    ['unable to verify the first certificate', /compare keys\/ca\.crt\.pem/],
    ['self-signed certificate in certificate chain', /compare keys\/ca\.crt\.pem/],
    ['tlsv1 alert unknown ca', /authority that the other side does not believe/],
    ['certificate has expired', /look at the clock of this machine/],
    ['sslv3 alert certificate expired', /look at the clock/],
    ["Hostname/IP does not match certificate's altnames: Host: localhost.", /for another name/],
    ['tlsv13 alert certificate required', /renew keys\/tls\.crt\.pem/],
    ["/home/keys/ca.crt.pem doesn't exist", /claim this gateway/],
    ['getaddrinfo ENOTFOUND unclaimed.invalid', /not claimed yet/],
    ["'Authorization Violation'", /was revoked, or its credentials are past their date/],
  ])('%s', (words, meaning) => {
    const text = connectFailure(new Error(words));
    expect(text).toMatch(meaning);
    expect(text).toContain(`(${words})`);
  });

  test('other words stay as they are, with their cause', () => {
    expect(
      connectFailure(new Error('connection refused', { cause: new Error('connect ECONNREFUSED') })),
    ).toBe('connection refused: connect ECONNREFUSED');
    expect(connectFailure('odd')).toBe('odd');
  });
});

describe('who a gateway is to the message server', () => {
  let home: ReturnType<typeof scratch>;
  const put = (file: string, text: string | Uint8Array): void => writeFileSync(join(home.path, file), text);
  beforeEach(() => {
    home = scratch();
    mkdirSync(join(home.path, 'keys'));
  });
  afterEach(() => home[Symbol.dispose]());

  test('is read anew each time: a seed alone, or a seed with a JWT', () => {
    const seed = createUser().getSeed();
    put('keys/nats.nk', seed);
    expect(readNatsCredentials(home.path)).toEqual({ seed });
    put('keys/nats.jwt', 'a.b.c\n');
    expect(readNatsCredentials(home.path)).toEqual({ seed, jwt: 'a.b.c' });
  });

  test('is not guessed from files that are something else', () => {
    put('keys/nats.nk', 'not a seed');
    expect(() => readNatsCredentials(home.path)).toThrow('holds no nkey user seed');
    put('keys/nats.nk', createUser().getSeed());
    put('keys/nats.jwt', '-----BEGIN');
    expect(() => readNatsCredentials(home.path)).toThrow('holds no JWT');
  });
});

test('certificates are where a claim writes them, unless gateway.yaml names others', () => {
  expect(tlsFilesOf('/home/gw', { ca: '/etc/ca.pem', cert: 'own.pem' })).toEqual({
    caFile: '/etc/ca.pem',
    certFile: '/home/gw/own.pem',
    keyFile: '/home/gw/keys/tls.key.pem',
  });
});

test('only a tls:// address shows a certificate', () => {
  const access = { gatewayId: 'g', credentials: () => ({ seed: new Uint8Array() }), tls: tlsFilesOf('/h') };
  expect(accessOptions({ ...access, url: 'nats://127.0.0.1' }).tls).toBeUndefined();
  expect(accessOptions({ ...access, url: 'tls://hub' }).tls).toMatchObject({ handshakeFirst: true });
});

import { expect, test } from 'vitest';
import { below, isToken } from './access.ts';
import { parseConnectionParams, parseDeviceParams } from './params.ts';
import { connectionTo } from './testing.ts';

// SHA-256 of 'secret'.
const passwordSha256 = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b';

test('what is not said has a default', () => {
  expect(parseConnectionParams({ host: '10.0.0.1' })).toEqual({
    ...{ mode: 'broker', host: '10.0.0.1', port: 1883, timeoutMs: 10_000 },
    ...{ maxPacketBytes: 65_536, maxConnections: 1_000, maxMessagesPerSecond: 100 },
  });
  expect(parseDeviceParams({ username: 'gate-a-1', passwordSha256 }).maxAgeMs).toBe(300_000);
});

test.each([
  ['a port that is none', () => parseConnectionParams({ port: 0 }), /port must be >= 1/],
  ['a name that would be a wildcard', () => parseDeviceParams({ username: '#', passwordSha256 }), /username/],
  ['a name with levels', () => parseDeviceParams({ username: 'a/b', passwordSha256 }), /username/],
  [
    'a token in the clear',
    () => parseDeviceParams({ username: 'a', passwordSha256: 'secret' }),
    /passwordSha256/,
  ],
  ['a misspelt field', () => parseConnectionParams({ maxPacket: 1 }), /maxPacket is no parameter/],
  [
    'a misspelt field of a device',
    () => parseDeviceParams({ username: 'a', passwordSha256, maxAge: 1 }),
    /maxAge is no parameter/,
  ],
  ['nothing at all', () => parseDeviceParams(undefined), /params|username/],
])('refuses %s', (_what, parse, why) => {
  expect(parse).toThrow(why);
});

test('two devices of one name are a mistake', () => {
  const connection = connectionTo({ port: 1 });
  connection.device({ username: 'a', passwordSha256 });
  expect(() => connection.device({ username: 'a', passwordSha256 })).toThrow('username a is there twice');
});

test('only the token itself opens', () => {
  expect(isToken(Buffer.from('secret'), passwordSha256)).toBe(true);
  expect(isToken(Buffer.from('Secret'), passwordSha256)).toBe(false);
  expect(isToken(Buffer.alloc(0), passwordSha256)).toBe(false);
  expect(isToken(Buffer.from('secret'), undefined)).toBe(false);
});

test.each([
  ['devices/gate-a-1/state', 'state'],
  ['devices/gate-a-1/meter/l1', 'meter/l1'],
  ['devices/gate-a-1/#', '#'],
  ['devices/gate-a-1/', undefined],
  ['devices/gate-a-1', undefined],
  ['devices/gate-a-12/state', undefined],
  ['devices/+/state', undefined],
  ['#', undefined],
  ['$SYS/broker', undefined],
  ['$share/g/devices/gate-a-1/state', undefined],
])('%s belongs to gate-a-1 as %s', (topic, expected) => {
  expect(below('devices/gate-a-1', topic)).toBe(expected);
});

import { expect, test } from 'vitest';
import { parseConnectionParams, parseDeviceParams } from './params.ts';

const endpointUrl = 'opc.tcp://plc:4840';

test('protection is the default', () => {
  expect(parseConnectionParams({ endpointUrl })).toMatchObject({
    securityPolicy: 'Basic256Sha256',
    securityMode: 'SignAndEncrypt',
    waiveSecurity: false,
  });
});

test('security None takes a waiver', () => {
  const none = { endpointUrl, securityPolicy: 'None', securityMode: 'None' };
  expect(() => parseConnectionParams(none)).toThrow(/set waiveSecurity to true/);
  expect(parseConnectionParams({ ...none, waiveSecurity: true }).securityMode).toBe('None');
});

test.each([
  ['no endpoint', {}, /endpointUrl/],
  ['an endpoint of another protocol', { endpointUrl: 'http://plc' }, /endpointUrl/],
  ['a half protection', { endpointUrl, securityMode: 'None' }, /set both to None or neither/],
  ['a password alone', { endpointUrl, password: 'x' }, /come together/],
  ['a user alone', { endpointUrl, user: 'x' }, /come together/],
  [
    'a password in the clear',
    {
      endpointUrl,
      securityMode: 'None',
      securityPolicy: 'None',
      waiveSecurity: true,
      user: 'a',
      password: 'b',
    },
    /not sent without encryption/,
  ],
  ['half a certificate', { endpointUrl, userCertificate: 'a.pem' }, /come together/],
  ['a file elsewhere', { endpointUrl, userCertificate: '../a.pem', userKey: 'a.key' }, /userCertificate/],
  ['a folder', { endpointUrl, userCertificate: 'a.pem', userKey: '..' }, /userKey/],
  [
    'two logins at once',
    { endpointUrl, user: 'a', password: 'b', userCertificate: 'a.pem', userKey: 'a.key' },
    /not both/,
  ],
  ['a short fingerprint', { endpointUrl, serverFingerprint: 'abcd' }, /64 hex digits/],
  ['a word it does not know', { endpointUrl, securityMod: 'None' }, /securityMod|additional/],
] as const)('refuses %s', (_what, params, why) => {
  expect(() => parseConnectionParams(params)).toThrow(
    expect.objectContaining({ code: 'config', message: expect.stringMatching(why) as string }),
  );
});

test.each([[{ root: 'ns=2' }], [{ root: '' }], [{ root: 5 }], [null]])('refuses the device %o', (params) => {
  expect(() => parseDeviceParams(params)).toThrow(expect.objectContaining({ code: 'config' }));
});

import { DriverError } from '@parkline/kit';
import { expect, test } from 'vitest';
import { explain, failureOf } from './trouble.ts';

const circumstances = {
  where: 'opc.tcp://plc:4840',
  params: { securityMode: 'SignAndEncrypt', securityPolicy: 'Basic256Sha256' },
  identity: { fingerprint: 'f00d', path: '/data/client.pem' },
  refusal: undefined,
} as const;

test.each([
  [
    'Cannot find an Endpoint matching  security mode: 3 policy: x',
    'config',
    'no endpoint with Basic256Sha256 and SignAndEncrypt',
  ],
  ['BadUserAccessDenied (0x801f0000)', 'refused', 'nobody in without a login'],
  ['Cannot find ANONYMOUS user token policy', 'refused', 'nobody in without a login'],
  ['rejected by server: BadSecurityChecksFailed', 'refused', 'SHA-256 f00d there (/data/client.pem)'],
  ['connect ECONNREFUSED\n\n  \n and more', 'lost', 'connect ECONNREFUSED and more'],
] as const)('%s', (text, code, message) => {
  expect(explain(new Error(text), circumstances)).toMatchObject({
    code,
    where: 'opc.tcp://plc:4840',
    message: expect.stringContaining(message) as string,
  });
});

test('a refused certificate outdoes what the library makes of it', () => {
  const refusal = 'another certificate than expected';
  expect(explain(new Error('premature'), { ...circumstances, refusal })).toMatchObject({
    code: 'config',
    message: refusal,
  });
});

test('a request that fails is lost, or timed out on a whole link', () => {
  const timeout = new Error('Transaction has timed out');
  expect(failureOf(timeout, { down: undefined }, 'x').code).toBe('timeout');
  expect(failureOf(timeout, { down: 'being mended' }, 'x')).toMatchObject({
    code: 'lost',
    message: 'being mended',
  });
  expect(failureOf('socket', { down: undefined }, 'x').code).toBe('lost');
  const fault = new Error('ServiceFault: serviceResult = BadServiceUnsupported (0x800b0000)');
  expect(failureOf(fault, { down: undefined }, 'x')).toMatchObject({
    code: 'refused',
    message: 'the server has no such service (BadServiceUnsupported)',
  });
  expect(failureOf(fault, { down: 'being mended' }, 'x').code).toBe('lost');
  const known = new DriverError('garbage', 'too few', 'x');
  expect([failureOf(known, { down: 'x' }, 'x'), explain(known, circumstances)]).toEqual([known, known]);
});

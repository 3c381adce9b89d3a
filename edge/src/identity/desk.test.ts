import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayCall, SignedText } from '@parkline/contract';
import { expect, test } from 'vitest';
import { createBell } from '../base/bell.ts';
import { realDisk } from '../base/disk.ts';
import { createFaultLog } from '../base/fault-log.ts';
import { scratch } from '../testing/scratch.ts';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { createDesk } from './desk.ts';
import { createLogRing } from './log-ring.ts';
import { openIdentityStore } from './store.ts';

const DAY_MS = 86_400_000;
const gatewayId = '018f0000-0000-7000-8000-000000000001';
const began = Date.parse('2026-11-01T00:00:00Z');
const cloud = generateKeyPairSync('ed25519');

const credentialsFrom = (at: number, name: string) => ({
  ...{ jwt: name, certificate: `${name} certificate`, ca: 'ca' },
  ...{ issuedAt: new Date(at).toISOString(), expiresAt: new Date(at + 30 * DAY_MS).toISOString() },
});

/** A gateway that was claimed at `began`, and a cloud of a few lines at the other end of its link. */
function givenDesk(home: string) {
  const time = createVirtualTime(began);
  const store = openIdentityStore(home, realDisk);
  mkdirSync(join(home, 'keys'), { mode: 0o700 });
  const credentials = credentialsFrom(began, 'first');
  const cloudKey = cloud.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const { issuedAt, expiresAt } = credentials;
  const claimed = { gatewayId, cloudUrl: 'https://cloud', codeHash: '', issuedAt, expiresAt };
  store.issued(store.prepare(), { ...claimed, credentials, cloudKey, yaml: null });
  store.settle();
  const calls: string[] = [];
  const seen = { calls, reconnects: 0, isDown: false };
  const request = (payload: Uint8Array): Promise<Uint8Array> => {
    const { body } = JSON.parse(Buffer.from(payload).toString()) as SignedText;
    const { what, at } = JSON.parse(body) as GatewayCall;
    calls.push(what);
    if (seen.isDown) return Promise.reject(new Error('no responders'));
    const renewed = what === 'renew' && { credentials: credentialsFrom(at, 'second') };
    const answer = JSON.stringify({ gatewayId, to: at, ok: true, why: '', ...renewed });
    const sig = sign(null, Buffer.from(answer), cloud.privateKey).toString('base64url');
    return Promise.resolve(Buffer.from(JSON.stringify({ body: answer, sig })));
  };
  const silent = { warn: () => undefined, info: () => undefined };
  const desk = createDesk({
    ...{ home, gatewayId, version: '0.1.0', cloudKey: cloud.publicKey, store, clock: time.clock },
    logs: createLogRing(),
    mapped: () => undefined,
    link: { generation: () => 1, request, renew: () => void (seen.reconnects += 1) },
    sign: () => new Uint8Array(64),
    restart: () => undefined,
    bell: createBell(time.wait),
    faults: createFaultLog(silent, time.clock),
  });
  const jwt = (): string => readFileSync(join(home, 'keys/nats.jwt'), 'utf8').trim();
  return { desk, time, seen, jwt };
}

test('credentials are renewed at half of their life, and the connection changes over to them', async () => {
  using home = scratch();
  const { desk, time, seen, jwt } = givenDesk(home.path);
  const stop = new AbortController();
  const running = desk.run(stop.signal);
  time.jump(15 * DAY_MS - 10_000);
  await time.advance(5_000);
  expect([seen.calls, jwt()]).toEqual([['hello'], 'first']);
  await time.advance(10_000);
  expect([seen.calls, jwt(), seen.reconnects]).toEqual([['hello', 'renew'], 'second', 1]);
  await time.advance(60_000); // The next half of a life is far away.
  expect(seen.calls).toEqual(['hello', 'renew']);
  stop.abort();
  await running;
});

test('a cloud that is away at half of the life is asked again until it signs', async () => {
  using home = scratch();
  const { desk, time, seen, jwt } = givenDesk(home.path);
  const stop = new AbortController();
  const running = desk.run(stop.signal);
  await time.advance(2_000);
  seen.isDown = true;
  time.jump(15 * DAY_MS);
  await time.advance(65_000);
  expect([seen.calls.filter((what) => what === 'renew').length, jwt()]).toEqual([3, 'first']);
  seen.isDown = false;
  await time.advance(30_000);
  expect([jwt(), seen.reconnects]).toEqual(['second', 1]);
  stop.abort();
  await running;
});

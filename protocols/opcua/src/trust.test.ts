import { expect, test } from 'vitest';
import { createTrustStore, fingerprintOf, judgeServer, normalFingerprint } from './trust.ts';

const certificate = Buffer.from('a certificate');
const seen = fingerprintOf(certificate);
const other = fingerprintOf(Buffer.from('another'));
const own = Buffer.from('the gateway’s own');
const status = { good: 'good', untrusted: 'untrusted' };

test('a fingerprint may be written with colons and capitals', () => {
  const spoken = seen.toUpperCase().match(/../g)!.join(':');
  expect(normalFingerprint(spoken)).toBe(seen);
  expect(judgeServer(certificate, spoken)).toEqual({ ok: true });
  expect(normalFingerprint(seen.slice(1))).toBeUndefined();
});

test('an unknown server is refused with its fingerprint and what to do', () => {
  const verdict = judgeServer(certificate, undefined);
  expect(verdict).toMatchObject({ ok: false, why: expect.stringContaining(seen) as string });
  expect(verdict).toMatchObject({ why: expect.stringContaining('set serverFingerprint') as string });
});

test('a server with another certificate is refused with both fingerprints', () => {
  const verdict = judgeServer(certificate, other);
  expect(verdict).toMatchObject({ ok: false, why: expect.stringContaining(seen) as string });
  expect(verdict).toMatchObject({ why: expect.stringContaining(other) as string });
});

test('a store says so in the library’s words, judges a chain by its leaf, and learns nothing', async () => {
  const store = createTrustStore(seen, own, status);
  expect(await store.checkCertificate([certificate, Buffer.from('issuer')])).toBe('good');
  expect(store.refusal).toBeUndefined();
  const stranger = Buffer.from('stranger');
  await store.trustCertificate();
  expect(await store.checkCertificate([stranger, certificate])).toBe('untrusted');
  expect(await store.verifyCertificate(stranger)).toBe('BadCertificateUntrusted');
  expect(await store.checkCertificate([])).toBe('untrusted');
  expect(store.refusal).toBeTruthy();
});

test('the gateway’s own certificate is nobody else’s business', async () => {
  const store = createTrustStore(seen, own, status);
  expect(await store.checkCertificate(own)).toBe('good');
  expect(store.refusal).toBeUndefined();
});

test('only a waiver lets anybody in', async () => {
  expect(await createTrustStore('any', own, status).checkCertificate(certificate)).toBe('good');
  expect(await createTrustStore(undefined, own, status).checkCertificate(certificate)).toBe('untrusted');
});

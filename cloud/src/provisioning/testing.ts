import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createUser, type KeyPair } from '@nats-io/nkeys';
import type { GatewayKeys, KeyProofs } from '@parkline/contract';
import type { Signer } from './signer.ts';

/** The keys of a gateway, as they are made on it. */
export interface TestKeys {
  readonly publicKeys: GatewayKeys;
  readonly signing: KeyObject;
  readonly proofs: (text: string) => KeyProofs;
}

export function makeKeys(user: KeyPair = createUser()): TestKeys {
  const signing = generateKeyPairSync('ed25519');
  const tls = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
  return {
    publicKeys: { signing: pem(signing.publicKey), nkey: user.getPublicKey(), tls: pem(tls.publicKey) },
    signing: signing.privateKey,
    proofs(text) {
      const data = Buffer.from(text);
      return {
        signing: sign(null, data, signing.privateKey).toString('base64url'),
        nkey: Buffer.from(user.sign(data)).toString('base64url'),
        tls: sign('sha256', data, { key: tls.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
      };
    },
  };
}

/** Signs with words and remembers what it was told. */
export function wordySigner(lifeMs = 3_600_000): Signer & { readonly told: ReadonlyMap<string, Date>[] } {
  const told: ReadonlyMap<string, Date>[] = [];
  return {
    told,
    issue: ({ id, nkey }, now) =>
      Promise.resolve({
        jwt: `jwt of ${nkey} at ${now.getTime()}`,
        certificatePem: `certificate of ${id}`,
        caPem: 'ca',
        expiresAt: new Date(now.getTime() + lifeMs),
      }),
    revoke: (all) => Promise.resolve(void told.push(all)),
    held: () => Promise.resolve(told.at(-1) ?? new Map()),
  };
}

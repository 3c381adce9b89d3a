import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createUser, fromSeed } from '@nats-io/nkeys';
import type { GatewayKeys, KeyProofs } from '@parkline/contract';
import { type Static, Type } from 'typebox';

/** The private halves of what a gateway is. They are made here and leave this machine never. */
export const OwnKeys = Type.Object({
  /** Ed25519, PKCS8 PEM: signs everything that it sends. */
  signing: Type.String(),
  /** Seed of its user at the message server ("SU..."). */
  nkeySeed: Type.String(),
  /** P-256, PKCS8 PEM: of its TLS certificate. */
  tls: Type.String(),
});
export type OwnKeys = Static<typeof OwnKeys>;

const privatePem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = (pem: string): string =>
  createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString();

export const makeKeys = (): OwnKeys => ({
  signing: privatePem(generateKeyPairSync('ed25519').privateKey),
  nkeySeed: new TextDecoder().decode(createUser().getSeed()),
  tls: privatePem(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey),
});

const userOf = ({ nkeySeed }: OwnKeys) => fromSeed(new TextEncoder().encode(nkeySeed));

/** What others may know of them. */
export const publicKeysOf = (keys: OwnKeys): GatewayKeys => ({
  signing: publicPem(keys.signing),
  nkey: userOf(keys).getPublicKey(),
  tls: publicPem(keys.tls),
});

/** Proves that all three are here: each signs `text`. */
export function proveKeys(keys: OwnKeys, text: string): KeyProofs {
  const data = Buffer.from(text);
  const tls = { key: createPrivateKey(keys.tls), dsaEncoding: 'ieee-p1363' as const };
  return {
    signing: sign(null, data, createPrivateKey(keys.signing)).toString('base64url'),
    nkey: Buffer.from(userOf(keys).sign(data)).toString('base64url'),
    tls: sign('sha256', data, tls).toString('base64url'),
  };
}

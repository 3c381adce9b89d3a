import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  randomInt,
} from 'node:crypto';
import { createUser, fromSeed } from '@nats-io/nkeys';
import { readOrMake, writeWhole } from './files.ts';

/** An Ed25519 signing key in two files; only the public one may be shown. */
export interface SigningKey {
  readonly privateFile: string;
  /** SPKI PEM. */
  readonly publicPem: string;
}

/** Reads the PKCS8 PEM key in `file`, making it at the first call. */
export async function signingKey(file: string): Promise<SigningKey> {
  const pem = await readOrMake(file, () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  const publicKey = createPublicKey(createPrivateKey(pem));
  return { privateFile: file, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

/** Writes the public half to `file`. */
export const savePublicKey = (file: string, key: SigningKey): Promise<void> =>
  writeWhole(file, key.publicPem, 0o644);

/** Makes the P-256 key in `file` at the first call. @returns the file beside it with its public half (SPKI PEM). */
export async function publicTlsKey(file: string): Promise<string> {
  const pem = await readOrMake(file, () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
  );
  const publicFile = file.replace(/\.key\.pem$/, '.pub.pem');
  const publicPem = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString();
  await writeWhole(publicFile, publicPem, 0o644);
  return publicFile;
}

/** The public nkey of the user whose seed is in `file`; the seed is made at the first call. */
export async function natsUser(file: string): Promise<string> {
  const seed = await readOrMake(file, () => `${new TextDecoder().decode(createUser().getSeed())}\n`);
  return fromSeed(new TextEncoder().encode(seed.trim())).getPublicKey();
}

/** Path of the file whose key seals secrets in the database; it is made at the first call. */
export async function sealingKeys(file: string): Promise<string> {
  await readOrMake(file, () => `first ${randomBytes(32).toString('base64')}\n`);
  return file;
}

/** 20 letters and digits that are hard to mistake for one another: about 99 bits. */
export function readablePassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = (): string => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}

/** A token that is shown once and known to the server by its hash alone. */
export const newToken = (): string => randomBytes(24).toString('base64url');

export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

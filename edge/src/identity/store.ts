import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IssuedCredentials } from '@parkline/contract';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Disk } from '../base/disk.ts';
import { makeKeys, OwnKeys } from './keys.ts';

/** What a gateway knows of its claim beside its keys; nothing of it is secret. */
const Identity = Type.Object({
  gatewayId: Type.String({ format: 'uuid' }),
  cloudUrl: Type.String(),
  /** SHA-256 (hex) of the code that it was claimed with. */
  codeHash: Type.String(),
  /** ISO 8601, by the cloud's clock. */
  issuedAt: Type.String(),
  expiresAt: Type.String(),
});
export type Identity = Static<typeof Identity>;

/** Everything that is to be in force together. */
const Issued = Type.Object({
  ...Identity.properties,
  credentials: IssuedCredentials,
  /** Ed25519, SPKI PEM. */
  cloudKey: Type.String(),
  /** gateway.yaml as it is to be; null: it stays. */
  yaml: Type.Union([Type.String(), Type.Null()]),
});
export type Issued = Static<typeof Issued>;

const Next = Type.Object({ keys: OwnKeys, issued: Type.Union([Issued, Type.Null()]) });
export type Next = Static<typeof Next>;

const KEYS_FOLDER = 'keys';
export const NEXT_FILE = join(KEYS_FOLDER, 'next.json');
export const IDENTITY_FILE = join(KEYS_FOLDER, 'identity.json');

/**
 * The keys of a gateway's home. What is to be in force is written to `next.json` first, whole; from there to the files that are
 * read at start. A kill between any two steps leaves the old identity or is finished by {@link IdentityStore.settle}.
 */
export interface IdentityStore {
  /** Undefined: never claimed. */
  identity(): Identity | undefined;
  next(): Next | undefined;
  /** The keys to be: those that are there already, else new ones, on the disk before they are shown to anybody. */
  prepare(): OwnKeys;
  /** Takes back what `prepare` of this store made: keys that nobody was shown, or that were refused. */
  discard(): void;
  /** Notes what was signed for these keys; `settle` puts it into force. */
  issued(keys: OwnKeys, issued: Issued): void;
  /** Puts into force what was noted. @returns whether there was something. */
  settle(): boolean;
  /** The keys in force. @throws Error when they are not there. */
  own(): OwnKeys;
}

export function openIdentityStore(home: string, disk: Disk): IdentityStore {
  const at = (file: string): string => join(home, file);
  const read = <T extends TSchema>(file: string, schema: T): Static<T> | undefined => {
    if (!existsSync(at(file))) return undefined;
    const value: unknown = JSON.parse(readFileSync(at(file), 'utf8'));
    if (Value.Check(schema, value)) return value;
    throw new Error(`${at(file)} is not what this program wrote; move it aside and claim this gateway again`);
  };
  const next = (): Next | undefined => read(NEXT_FILE, Next);
  /** Outermost folder that this store made. */
  let made: string | undefined;
  /** What there is before this store makes anything is kept by `discard`. */
  let isOwn = false;
  function write(value: Next): void {
    made ??= mkdirSync(at(KEYS_FOLDER), { recursive: true, mode: 0o700 });
    disk.replace(at(NEXT_FILE), `${JSON.stringify(value)}\n`);
  }

  return {
    identity: () => read(IDENTITY_FILE, Identity),
    next,
    prepare() {
      const known = next();
      if (known) return known.keys;
      const keys = makeKeys();
      write({ keys, issued: null });
      isOwn = true;
      return keys;
    },
    discard() {
      if (!isOwn) return;
      disk.remove(at(NEXT_FILE));
      isOwn = false;
      if (made !== undefined) removeFolders(at(KEYS_FOLDER), made);
      made = undefined;
    },
    issued(keys, issued) {
      isOwn = false;
      write({ keys, issued });
    },
    settle() {
      const { keys, issued } = next() ?? {};
      if (!keys || !issued) return false;
      const { credentials, cloudKey, yaml, ...identity } = issued;
      for (const [file, text] of Object.entries(filesOf(keys, credentials, cloudKey)))
        disk.replace(at(file), text);
      if (yaml !== null) disk.replace(at('gateway.yaml'), yaml);
      const { gatewayId, cloudUrl, codeHash, issuedAt, expiresAt } = identity;
      const known = { gatewayId, cloudUrl, codeHash, issuedAt, expiresAt };
      disk.replace(at(IDENTITY_FILE), `${JSON.stringify(known)}\n`);
      disk.remove(at(NEXT_FILE));
      return true;
    },
    own: () => ({
      signing: readFileSync(at('keys/signing.pem'), 'utf8'),
      nkeySeed: readFileSync(at('keys/nats.nk'), 'utf8').trim(),
      tls: readFileSync(at('keys/tls.key.pem'), 'utf8'),
    }),
  };
}

/** From `inner` out to `outer`, as far as they are empty. */
function removeFolders(inner: string, outer: string): void {
  for (let folder = inner; folder.startsWith(outer); folder = dirname(folder)) {
    if (readdirSync(folder).length > 0) return;
    rmdirSync(folder);
  }
}

/** What the start and each connection read. */
const filesOf = (keys: OwnKeys, { jwt, certificate, ca }: IssuedCredentials, cloudKey: string) => ({
  'keys/signing.pem': keys.signing,
  'keys/nats.nk': `${keys.nkeySeed}\n`,
  'keys/nats.jwt': `${jwt}\n`,
  'keys/tls.key.pem': keys.tls,
  'keys/tls.crt.pem': certificate,
  'keys/ca.crt.pem': ca,
  'keys/cloud.pub.pem': cloudKey,
});

import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packRelease, type ReleaseFacts } from '../update/pack.ts';
import { parseReleaseFile, type ReleaseFile } from '../update/release-file.ts';
import { scratchFolder } from '../update/scratch.ts';

export const releaseKeys = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ed25519');

/** A release of a program whose main.js is `main`, with `noise` bytes beside it that no packer makes smaller. */
export function makeRelease(
  key: KeyObject,
  facts: Partial<ReleaseFacts> & { readonly version: string },
  { main = '', noise = 10 }: { main?: string; noise?: number } = {},
): ReleaseFile {
  using folder = scratchFolder();
  mkdirSync(join(folder.path, 'lib'));
  writeFileSync(join(folder.path, 'lib/main.js'), main);
  writeFileSync(join(folder.path, 'noise'), randomBytes(noise));
  writeFileSync(join(folder.path, 'launcher.js'), '// launcher');
  const all: ReleaseFacts = {
    ...{ platforms: ['linux-x64'], minNode: '24.0.0', predecessor: { min: null, max: null } },
    ...{ downgradeFrom: [], madeAt: 1_000, ...facts },
  };
  return parseReleaseFile(packRelease(folder.path, all, key));
}

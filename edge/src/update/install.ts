import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import { replaceFile, syncFolder, writeSynced } from './files.ts';
import { releaseFault } from './judge.ts';
import { unpackRelease } from './pack.ts';
import { parseReleaseFile, readManifest } from './release-file.ts';
import { MANIFEST_FILE, PROGRAM_FOLDER, readProgramState, writeProgramState } from './slots.ts';

export interface Surroundings {
  /** Of those whose releases are believed here. */
  readonly keys: readonly KeyObject[];
  readonly platform: string;
  readonly node: string;
}

/**
 * Puts the first release into a gateway's home: slot a, the launcher, and a state that names both. @returns its version.
 * @throws Error saying why it may not run here, or that one is installed already.
 */
export function installFirst(home: string, release: Buffer, { keys, platform, node }: Surroundings): string {
  const folder = join(home, PROGRAM_FOLDER);
  if (readProgramState(folder) !== undefined)
    throw new Error(`${folder} holds a release already: a gateway that runs is updated from its cloud`);
  const { signed, pack } = parseReleaseFile(release);
  const checked = readManifest(signed, keys);
  if (!checked.ok)
    throw new Error(
      checked.why === 'signature'
        ? 'the key that was given did not sign this release'
        : 'the manifest of the release cannot be read',
    );
  const { manifest } = checked;
  const { version } = manifest;
  // Nothing was ever healthy here: any version may be the first.
  const fault = releaseFault(
    { ...manifest, predecessor: { min: null, max: null } },
    { platform, node, version: '0.0.0-0', highest: '0.0.0-0' },
  );
  if (fault !== undefined) throw new Error(`this release may not run here: ${fault}`);
  const slot = join(folder, 'a');
  rmSync(slot, { recursive: true, force: true });
  mkdirSync(slot, { recursive: true, mode: 0o755 });
  unpackRelease(pack, manifest, slot);
  writeSynced(join(slot, MANIFEST_FILE), JSON.stringify(signed));
  const launcher = join(slot, 'launcher.js');
  if (!existsSync(launcher)) throw new Error('the release has no launcher');
  replaceFile(join(folder, 'launcher.mjs'), readFileSync(launcher));
  syncFolder(slot);
  writeProgramState(folder, {
    ...{ format: 1, current: 'a', version, trial: null, highest: version, offerAt: 0, untold: [] },
  });
  return version;
}

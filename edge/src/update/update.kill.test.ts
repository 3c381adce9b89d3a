import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignedText } from '@parkline/contract';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { makeRelease, releaseKeys } from '../testing/releases.ts';
import { isWhole, unpackRelease } from './pack.ts';
import { headOf, parseManifest, type ReleaseFile } from './release-file.ts';
import { scratchFolder } from './scratch.ts';
import { openSlots, writeProgramState } from './slots.ts';

const worker = join(import.meta.dirname, '../testing/update-until-killed.ts');

function unpackTo(folder: string, { signed, pack }: ReleaseFile): void {
  mkdirSync(folder, { recursive: true });
  unpackRelease(pack, parseManifest(signed.body)!, folder);
  writeFileSync(join(folder, 'release.json'), JSON.stringify(signed));
}

/** The version that starts next, its slot whole to the last byte. */
function startable(home: string): string {
  const slots = openSlots(join(home, 'program'));
  const { current, version } = slots.state();
  const signed: unknown = JSON.parse(readFileSync(join(slots.pathOf(current), 'release.json'), 'utf8'));
  const manifest = Value.Check(SignedText, signed) ? parseManifest(signed.body) : undefined;
  expect(manifest?.version).toBe(version);
  expect(isWhole(slots.pathOf(current), manifest!)).toBe(true);
  return version;
}

test('killed at any step, the next start finds a whole release, and the update ends all the same', () => {
  using first = scratchFolder();
  const keys = releaseKeys();
  const before = makeRelease(keys.privateKey, { version: '1.0.0' });
  const after = makeRelease(keys.privateKey, { version: '1.1.0' }, { noise: 300_000 });
  writeFileSync(join(first.path, 'release'), Buffer.concat([headOf(after.signed), after.pack]));
  writeFileSync(
    join(first.path, 'release.pub.pem'),
    keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  );
  unpackTo(join(first.path, 'program/a'), before);
  unpackTo(join(first.path, 'program/b'), before);
  writeProgramState(join(first.path, 'program'), {
    ...{ format: 1, current: 'a', version: '1.0.0', trial: null, highest: '1.0.0', offerAt: 0, untold: [] },
  });
  const seen = new Set<string>();
  let kills = 0;
  using home = scratchFolder();
  cpSync(first.path, home.path, { recursive: true });
  // Each run dies one step further on, and goes on from what the one before left.
  for (let step = 1; ; step += 1) {
    const ended = spawnSync(process.execPath, [worker, home.path, String(step)], { encoding: 'utf8' });
    seen.add(startable(home.path));
    if (ended.stdout.includes('done')) break;
    expect(ended.signal, ended.stderr).toBe('SIGKILL');
    kills += 1;
    // Far more steps than there are: it must end.
    expect(step).toBeLessThan(40);
    if (startable(home.path) === '1.0.0') cpSync(first.path, home.path, { recursive: true, force: true });
  }
  expect(kills).toBeGreaterThanOrEqual(8);
  expect([...seen].sort()).toEqual(['1.0.0', '1.1.0']);
  expect(openSlots(join(home.path, 'program')).state()).toMatchObject({ version: '1.1.0', highest: '1.1.0' });
}, 60_000);

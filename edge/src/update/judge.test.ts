import { compareVersions } from '@parkline/contract';
import { expect, test } from 'vitest';
import { makeRelease, releaseKeys } from '../testing/releases.ts';
import { type Installation, releaseFault } from './judge.ts';
import { parseManifest } from './release-file.ts';

const { privateKey } = releaseKeys();
const here: Installation = { platform: 'linux-x64', node: '24.21.0', version: '1.2.0', highest: '1.2.0' };
const faultOf = (facts: Parameters<typeof makeRelease>[1], at: Partial<Installation> = {}) =>
  releaseFault(parseManifest(makeRelease(privateKey, facts).signed.body)!, { ...here, ...at });

test('versions are ordered as semver.org clause 11 orders them', () => {
  const ascending = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2'];
  const all = [...ascending, '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0'];
  expect([...all].reverse().sort(compareVersions)).toEqual(all);
  expect(compareVersions('1.2.0', '1.2.0')).toBe(0);
});

test.each([
  ['a newer one may run', { version: '1.3.0' }, {}, undefined],
  ['the same again', { version: '1.2.0' }, {}, /not newer than 1\.2\.0/],
  ['an older one', { version: '1.1.9' }, {}, /not newer than 1\.2\.0/],
  [
    'older than what was healthy before a way down',
    { version: '1.3.0' },
    { version: '1.2.0', highest: '1.4.0' },
    /than 1\.4\.0/,
  ],
  ['an older one that says it may go back', { version: '1.1.0', downgradeFrom: ['1.2.0'] }, {}, undefined],
  [
    'an older one that may go back from another',
    { version: '1.1.0', downgradeFrom: ['1.3.0'] },
    {},
    /not newer/,
  ],
  [
    'another platform',
    { version: '1.3.0', platforms: ['linux-arm64'] },
    {},
    /linux-arm64, this gateway is linux-x64/,
  ],
  ['an old Node.js', { version: '1.3.0', minNode: '26.0.0' }, {}, /needs Node\.js 26\.0\.0/],
  [
    'too far behind',
    { version: '1.9.0', predecessor: { min: '1.5.0', max: null } },
    {},
    /follows 1\.5\.0 or newer/,
  ],
  [
    'too far ahead',
    { version: '1.9.0', predecessor: { min: null, max: '1.1.0' } },
    {},
    /follows 1\.1\.0 or older/,
  ],
] as const)('%s', (_name, facts, at, fault) => {
  const told = faultOf(facts as unknown as Parameters<typeof makeRelease>[1], at);
  if (fault === undefined) expect(told).toBeUndefined();
  else expect(told).toMatch(fault);
});

import { describe, expect, test } from 'vitest';
import { findDebianMirror, reachSettings } from './apt-sources.ts';

const files = (over: Record<string, string>): Map<string, string> => new Map(Object.entries(over));

describe('findDebianMirror', () => {
  test.each([
    [
      'one-line format',
      { 'sources.list': 'deb http://mirror.test/debian bookworm main\n' },
      'http://mirror.test/debian',
    ],
    [
      'one-line format with options and a comment',
      {
        'sources.list':
          '# deb http://old.test/debian sid main\ndeb [arch=amd64 trusted=no] https://m.test/debian/ trixie main contrib # x',
      },
      'https://m.test/debian',
    ],
    [
      'deb822 with several suites',
      {
        'debian.sources':
          'Types: deb\n# note\nURIs: http://m.test/debian\nSuites: bookworm bookworm-updates\nComponents: main\n',
      },
      'http://m.test/debian',
    ],
    [
      'deb822 with continued lines',
      {
        'debian.sources':
          'Types: deb deb-src\nURIs:\n http://a.test/mirror\n http://b.test/debian\nSuites: sid\nComponents: main',
      },
      'http://b.test/debian',
    ],
    [
      'a mirror whose path has another name',
      { 'a.list': 'deb https://artefacts.test/remote-deb trixie main' },
      'https://artefacts.test/remote-deb',
    ],
  ])('reads the %s', (_what, given, expected) => {
    expect(findDebianMirror(files(given))).toBe(expected);
  });

  test.each([
    [
      'Ubuntu',
      { 'ubuntu.sources': 'Types: deb\nURIs: http://archive.test/ubuntu\nSuites: noble\nComponents: main' },
    ],
    ['a vendor suite', { 'vendor.list': 'deb https://vendor.test/apt stable main' }],
    ['security updates only', { 'sources.list': 'deb http://m.test/debian-security bookworm-security main' }],
    [
      'a disabled stanza',
      { 'x.sources': 'Enabled: no\nTypes: deb\nURIs: http://m.test/debian\nSuites: sid\nComponents: main' },
    ],
    ['sources only', { 'sources.list': 'deb-src http://m.test/debian trixie main' }],
  ])('does not take %s for a Debian mirror', (_what, given) => {
    expect(findDebianMirror(files(given))).toBeUndefined();
  });
});

test('only settings about reaching a mirror are carried over', () => {
  const dump = [
    'APT::Architecture "amd64";',
    'Acquire::http::Proxy "http://proxy.test:3128";',
    'Acquire::http::Proxy::local.test "DIRECT";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::Languages "en";',
    'Acquire::http "";',
  ].join('\n');
  expect(reachSettings(dump)).toEqual([
    'Acquire::http::Proxy "http://proxy.test:3128";',
    'Acquire::http::Proxy::local.test "DIRECT";',
    'Acquire::Check-Valid-Until "false";',
  ]);
});

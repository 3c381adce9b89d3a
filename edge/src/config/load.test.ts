import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readEnv } from './env.ts';
import { ConfigError, faultsBeyondSchema, loadHome, parseConfig } from './load.ts';

const id = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;

const yaml = `
version: 1
gatewayId: ${id(1)}
name: Gateway A
timezone: Asia/Shanghai
nats: { url: nats://127.0.0.1:4222 }
connections:
  - id: a-panel
    driver: modbus
    params: { transport: tcp, port: 15020 }
    devices:
      - equipmentId: ${id(2)}
        name: Floor 1
        params: { unit: 3 }
        points:
          - { id: ${id(3)}, address: 'hr:3203:i64', scale: 0.1, kind: register, unit: kWh, resolution: 0.01, pollMs: 60000 }
          - { id: ${id(4)}, address: 'hr:3059:f32', kind: gauge, unit: kW, deadband: 0.05, heartbeatMs: 60000, pollMs: 5000 }
`;

const faultsOf = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe('gateway.yaml', () => {
  test('is read with its defaults and frozen through and through', () => {
    const config = parseConfig(yaml);
    expect(config.report).toEqual({ every: false });
    expect(config.outbox).toEqual({ keepHours: 24, maxMegabytes: 512, thinToSeconds: 300 });
    expect(config.connections[0]?.devices[0]?.points[1]).toMatchObject({ scale: 1, resolution: 1 });
    expect(Object.isFrozen(config.connections[0]?.devices[0]?.points[0])).toBe(true);
  });

  test.each([
    ['params: { user: me, password: hush ]', 'at line 1, column'],
    ['password: hush: x', 'at line 1, column'],
    ['password: *hush', 'alias'],
  ])('that is no YAML says where, and quotes no password: %s', (text, where) => {
    const [fault = ''] = faultsOf(() => parseConfig(text));
    expect(fault).toContain(where);
    expect(fault).not.toContain('hush');
  });

  test('the environment knows the network better', () => {
    expect(parseConfig(yaml, 'nats://10.0.0.1:4333').nats.url).toBe('nats://10.0.0.1:4333');
  });

  test('all faults come together, each with its path', () => {
    const broken = yaml
      .replace('version: 1', 'version: 2')
      .replace(`gatewayId: ${id(1)}`, 'gatewayId: gw-a')
      .replace('unit: kW,', 'unit: horses,')
      .replace('deadband: 0.05', 'deadbnad: 0.05')
      .replace('scale: 0.1', 'scale: ten');
    expect(faultsOf(() => parseConfig(broken)).toSorted()).toEqual([
      '/connections/0/devices/0/points/0/scale must be number',
      '/connections/0/devices/0/points/1 must not have additional properties: deadbnad',
      expect.stringMatching(
        /^\/connections\/0\/devices\/0\/points\/1\/unit must be equal to one .*: kWh, kvarh/,
      ),
      '/gatewayId must match format "uuid"',
      '/version must be equal to constant',
    ]);
  });

  test('rules that could never work are found at once, each with its path', () => {
    const rules = `
rules:
  alarms:
    - { key: hot, point: ${id(9)}, when: above, limit: 3, text: hot }
    - { key: hot, point: ${id(4)}, when: missing, limit: 3, text: gone }
    - { key: cold, point: ${id(4)}, when: below, text: cold }
  schedules:
    - { key: day, cron: '61 7 * * *', point: ${id(4)}, value: 1 }
    - { key: gate, cron: '0 7 * * *', point: ${id(5)}, value: 1 }
`;
    const gate = `          - { id: ${id(5)}, address: 'hr:1:u16', kind: state, unit: '1', write: { min: 0, max: 1, safety: true } }\n`;
    expect(faultsOf(() => parseConfig(yaml + gate + rules)).toSorted()).toEqual([
      expect.stringMatching(/^\/rules\/alarms\/0\/point .* is no point of this gateway/),
      '/rules/alarms/1/key hot is there twice',
      '/rules/alarms/1/limit does not go with missing',
      '/rules/alarms/2/limit is missing',
      expect.stringMatching(/^\/rules\/schedules\/0\/cron schedule day: cron 61 7/),
      '/rules/schedules/0/point is not declared writable',
      expect.stringMatching(/^\/rules\/schedules\/1\/point may hurt somebody/),
    ]);
  });

  test('twenty faults are twenty lines', () => {
    const point = (n: number) =>
      `          - { id: ${id(n + 10)}, address: x, kind: gauge, unit: kW, pollMs: soon }\n`;
    expect(
      faultsOf(() => parseConfig(yaml + Array.from({ length: 20 }, (_, n) => point(n)).join(''))),
    ).toHaveLength(20);
  });

  test.each([
    [
      'a connection twice',
      (s: string) =>
        s +
        s
          .slice(s.indexOf('  - id'))
          .replaceAll(id(2), id(9))
          .replaceAll(id(3), id(8))
          .replaceAll(id(4), id(7)),
      '/connections/1/id repeats the connection id of /connections/0/id',
    ],
    [
      'a point twice',
      (s: string) => s.replace(id(4), id(3)),
      '/connections/0/devices/0/points/1/id repeats the point id of /connections/0/devices/0/points/0/id',
    ],
    [
      'an unknown zone',
      (s: string) => s.replace('Asia/Shanghai', 'Mars/Olympus'),
      '/timezone Mars/Olympus is not an IANA zone',
    ],
    ['an empty file', () => '', '/ must be object'],
    [
      'another kind of point',
      (s: string) => s.replace('kind: gauge', 'kind: meter'),
      '/connections/0/devices/0/points/1/kind must match a schema in anyOf',
    ],
    [
      'another protocol for NATS',
      (s: string) => s.replace('nats://', 'http://'),
      '/nats/url must match pattern "^(nats|tls)://"',
    ],
  ])('%s is refused', (_why, change, expected) => {
    expect(faultsOf(() => parseConfig(change(yaml)))).toEqual([expected]);
  });

  test('text that is no YAML is refused with the place', () => {
    expect(faultsOf(() => parseConfig('a: [1'))[0]).toMatch(/^\/ is not YAML: .*line 1/s);
  });

  test('more points than a table can name are refused', () => {
    const config = structuredClone(parseConfig(yaml));
    const { points } = config.connections[0]!.devices[0]!;
    points.push(...Array.from({ length: 10_000 }, (_, n) => ({ ...points[1]!, id: id(n + 100) })));
    expect(faultsBeyondSchema(config)).toEqual(['/connections hold 10002 points, at most 10000']);
  });
});

describe('a gateway home', () => {
  let home = '';
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const spki = { type: 'spki', format: 'pem' } as const;
  const put = (file: string, content: string | Uint8Array): void => {
    writeFileSync(join(home, file), content);
  };

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'parkline-home-'));
    mkdirSync(join(home, 'keys'));
    const keys = generateKeyPairSync('ed25519');
    put('gateway.yaml', yaml);
    put('keys/signing.pem', keys.privateKey.export(pem));
    put('keys/cloud.pub.pem', keys.publicKey.export(spki));
    put('keys/nats.nk', createUser().getSeed());
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  test('is loaded whole', () => {
    const { config, keys, outboxPath } = loadHome(home, { NATS_URL: 'nats://10.0.0.1:4222' });
    expect(config.nats.url).toBe('nats://10.0.0.1:4222');
    expect(keys.nats().seed).toHaveLength(58);
    expect(outboxPath).toBe(join(home, 'outbox.sqlite'));
  });

  test('the faults of all files come together', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    put('gateway.yaml', yaml.replace('version: 1', 'version: 3'));
    put('keys/signing.pem', rsa.privateKey.export(pem));
    put('keys/nats.nk', 'not a seed');
    rmSync(join(home, 'keys/cloud.pub.pem'));
    const faults = faultsOf(() => loadHome(home, {}));
    expect(faults).toEqual([
      'gateway.yaml /version must be equal to constant',
      'keys/signing.pem: is rsa, not an Ed25519 key',
      expect.stringMatching(/^keys\/cloud.pub.pem: ENOENT/),
      'keys/nats.nk: holds no nkey user seed (SU…)',
    ]);
  });
});

describe('the environment', () => {
  test('has defaults; empty means not set', () => {
    expect(readEnv({ NATS_URL: '', HOME: '/x' })).toEqual({ LOG_LEVEL: 'info' });
  });

  test('bad values are refused by name', () => {
    expect(faultsOf(() => readEnv({ NATS_URL: 'ftp://x', LOG_LEVEL: 'loud' }))).toHaveLength(2);
  });
});

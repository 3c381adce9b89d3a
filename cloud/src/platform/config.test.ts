import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { envExample } from './env.ts';

const good = { DATABASE_URL: 'postgres://me@db/parkline', CLOUD_KEY_FILE: 'cloud.pem' };

test('fills in defaults, reads numbers and roles, and cannot be changed', () => {
  const config = loadConfig({
    ...good,
    PORT: '9000',
    ROLE: 'api',
    TRUST_PROXY: 'true',
    LOG_LEVEL: '',
    OTHER: 'x',
  });
  expect(config).toMatchObject({ PORT: 9000, HOST: '127.0.0.1', LOG_LEVEL: 'info', TRUST_PROXY: true });
  expect([...config.roles]).toEqual(['api']);
  expect(Object.isFrozen(config)).toBe(true);
  expect(config).not.toHaveProperty('OTHER');
});

test('names every fault at once', () => {
  const env = { ...good, PORT: '99999', ROLE: 'king', LOG_LEVEL: 'loud', SETUP_TOKEN_SHA256: 'short' };
  expect(() => loadConfig(env)).toThrow(/ROLE.*PORT.*SETUP_TOKEN_SHA256.*LOG_LEVEL/);
});

test.each([
  ['the API without a database', { ROLE: 'api' }, /API_DATABASE_URL or DATABASE_URL/],
  ['ingest without a key', { ROLE: 'ingest', DATABASE_URL: good.DATABASE_URL }, /CLOUD_KEY_FILE/],
  ['both without anything', {}, /API_DATABASE_URL.*INGEST_DATABASE_URL.*CLOUD_KEY_FILE/],
])('refuses %s', (_what, env, fault) => {
  expect(() => loadConfig(env)).toThrow(fault);
});

test('a restricted login of its own is enough for the API', () => {
  expect(
    loadConfig({ ROLE: 'api', API_DATABASE_URL: 'postgres://app@db/parkline' }).DATABASE_URL,
  ).toBeUndefined();
});

test('.env.example is current', () => {
  expect(readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8')).toBe(envExample());
});

test.each([
  ['this machine only', {}, true],
  ['this machine by name', { HOST: 'localhost', PUBLIC_URL: 'http://localhost:8080' }, true],
  ['every address', { HOST: '0.0.0.0' }, false],
  ['an address of the network', { HOST: '192.168.1.5' }, false],
  ['an https address', { PUBLIC_URL: 'https://park.example' }, false],
] as const)('a park on %s may go without second factors: %#', (_where, env, may) => {
  const load = () => loadConfig({ ...good, ...env, SECOND_FACTOR: 'when_enrolled' });
  if (may) expect(load().SECOND_FACTOR).toBe('when_enrolled');
  else expect(load).toThrow(/SECOND_FACTOR/);
  expect(loadConfig({ ...good, ...env }).SECOND_FACTOR).toBe('required');
});

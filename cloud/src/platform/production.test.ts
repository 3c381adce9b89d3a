import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from './config.ts';

const safe = {
  MODE: 'production',
  ROLE: 'api',
  API_DATABASE_URL: 'postgres://u:secret@db/parkline?sslmode=verify-full&sslrootcert=/etc/parkline/db-ca.pem',
  PUBLIC_URL: 'https://park.example',
  NATS_URL: 'tls://hub-a:4222,tls://hub-b:4222',
  NATS_CA_FILE: '/ca',
  NATS_CERT_FILE: '/cert',
  NATS_KEY_FILE: '/key',
};

function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test('production starts where everything is encrypted and verified', () => {
  expect(faultsOf(safe)).toEqual([]);
});

test.each([
  ['the API without https', { PUBLIC_URL: 'http://park.example' }, /^PUBLIC_URL must begin with https/],
  ['no address of the API', { PUBLIC_URL: '' }, /^PUBLIC_URL/],
  ['a message server without TLS', { NATS_URL: 'nats://hub:4222' }, /^NATS_URL must begin with tls/],
  ['one of three servers without TLS', { NATS_URL: 'tls://a:1,nats://b:1' }, /^NATS_URL/],
  ['no authority of the message server', { NATS_CA_FILE: '' }, /^NATS_CA_FILE/],
  ['no certificate', { NATS_CERT_FILE: '' }, /^NATS_CERT_FILE/],
  ['a database without TLS', { API_DATABASE_URL: 'postgres://u:secret@db/p' }, /^API_DATABASE_URL must say/],
  [
    'a database whose name nobody looks at',
    { API_DATABASE_URL: 'postgres://u:secret@db/p?sslmode=require' },
    /verify-full/,
  ],
  [
    'a database that says both',
    { API_DATABASE_URL: 'postgres://u:secret@db/p?sslmode=verify-full&sslmode=disable' },
    /verify-full/,
  ],
])('production refuses %s, and says no password', (_what, change, expected) => {
  const faults = faultsOf({ ...safe, ...change });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(expected);
  expect(faults.join()).not.toContain('secret');
});

test('all of it is told at once', () => {
  const faults = faultsOf({
    MODE: 'production',
    ROLE: 'ingest',
    DATABASE_URL: 'postgres://db/p',
    CLOUD_KEY_FILE: '/k',
  });
  expect(faults).toHaveLength(5);
});

test('the provisioner runs alone, in every mode', () => {
  expect(faultsOf({ ...safe, MODE: '', ROLE: 'api,provisioner', PROVISIONER_DIR: '/p' }).join()).toMatch(
    /alone/,
  );
});

test('the provisioner needs its keys', () => {
  expect(faultsOf({ ROLE: 'provisioner', DATABASE_URL: 'postgres://db/p' })).toEqual([
    'PROVISIONER_DIR must be set for provisioner',
  ]);
});

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import pg from 'pg';
import { afterAll, expect, inject, test } from 'vitest';
import { smallPark } from '../fleet/testing.ts';
import { gate } from '../identity/index.ts';
import { assertBoundByPolicies, createDb, createPool } from '../platform/db.ts';
import { register as audit } from './audit.ts';
import { register as db } from './db.ts';
import { register as park } from './park.ts';
import { register as readings } from './readings.ts';

// A hosted database gives no superuser: the owner is bound by the policies like everybody else.
const name = `o_${randomBytes(6).toString('hex')}`;
const server = new pg.Client({ connectionString: inject('postgresUrl') });
await server.connect();
await server.query(`create role ${name} login createrole password '${name}'`);
for (const role of [
  'parkline_app',
  'parkline_audit',
  'parkline_ingest',
  'parkline_gate',
  'parkline_provisioner',
  'parkline_usage',
  'parkline_worker',
]) {
  // Roles belong to the whole server; another database of it may have made them already.
  await server.query(`create role ${role} nologin noinherit`).catch(() => undefined);
  await server.query(`grant ${role} to ${name}`);
}
await server.query(`create database ${name} owner ${name} template template0`);
const cwd = await mkdtemp(join(tmpdir(), 'parkline-owner-'));
afterAll(async () => {
  await server.query(`drop database ${name} with (force)`);
  await server.query(`drop role ${name}`);
  await server.end();
  await rm(cwd, { recursive: true });
});

const address = new URL(inject('postgresUrl'));
address.username = address.password = name;
address.pathname = `/${name}`;

async function parkline(...args: string[]): Promise<string> {
  let printed = '';
  const out = (text: string) => void (printed += text);
  const program = new Command('parkline').exitOverride();
  for (const register of [audit, db, park, readings])
    register(program, { out, err: () => undefined, env: { DATABASE_URL: address.href }, cwd });
  await program.parseAsync(args, { from: 'user' });
  return printed;
}

test('an owner without special rights migrates, seeds and imports, and the API works on what it made', async () => {
  await writeFile(join(cwd, 'park.yaml'), smallPark);
  const people = [{ role: 'account_admin', login: 'boss', name: 'Boss', password: 'a long password' }];
  await writeFile(join(cwd, 'people.json'), JSON.stringify(people));
  await parkline('db', 'migrate');
  const seed = () => parkline('park', 'seed', 'park.yaml', '--people', 'people.json', '--json');
  expect(await seed()).toBe(await seed());

  const meters = async () => JSON.parse(await parkline('readings', 'meters', '--json'));
  const [{ key }] = await meters();
  await writeFile(join(cwd, 'readings.csv'), `meter,ts,register\n${key},2026-11-20T00:00:00Z,7\n`);
  await parkline('readings', 'import', 'readings.csv');
  expect((await meters())[0]).toMatchObject({ key, register: 7, at: '2026-11-20T00:00:00.000Z' });

  expect(JSON.parse(await parkline('audit', 'verify', '--json'))).toMatchObject({
    entries: 0,
    brokenAt: null,
  });

  const app = createDb(createPool({ url: address.href, role: 'parkline_app', max: 1 }));
  try {
    await assertBoundByPolicies(app);
    expect(await gate.isSetupNeeded(app)).toBe(false);
    const begun = await gate.loginBegin(app, 'boss', randomBytes(32), new Date());
    expect(begun.passwordHash).toMatch(/^\$argon2id\$/);
  } finally {
    await app.destroy();
  }
});

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import pg from 'pg';
import { afterAll, expect, inject, test } from 'vitest';
import { smallPark } from '../fleet/testing.ts';
import { auditTrail, audit as writeDeed, gate } from '../identity/index.ts';
import { givenAccount } from '../identity/testing.ts';
import { assertBoundByPolicies, createDb, createPool, withAccount } from '../platform/db.ts';
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
    entries: 1,
    brokenAt: null,
  });

  const owner = createDb(createPool({ url: address.href, max: 1 }));
  const app = createDb(createPool({ url: address.href, role: 'parkline_app', max: 1 }));
  try {
    const { account } = JSON.parse(await seed());
    const deeds = await withAccount(owner, account, (trx) =>
      trx.selectFrom('auditEvent').select(['action', 'personId', 'content']).execute(),
    );
    const details = { file: 'readings.csv', rows: 1, inserted: 1, commandLine: userInfo().username };
    expect(deeds).toMatchObject([{ action: 'readings.imported', personId: null, content: { details } }]);

    await assertBoundByPolicies(app);
    expect(await gate.isSetupNeeded(app)).toBe(false);
    const begun = await gate.loginBegin(app, 'boss', randomBytes(32), new Date());
    expect(begun.passwordHash).toMatch(/^\$argon2id\$/);
  } finally {
    await owner.destroy();
    await app.destroy();
  }
});

test('a head of an earlier day is confirmed, refuted, or neither: then no script may take it for proven', async () => {
  const before = process.exitCode;
  const owner = createDb(createPool({ url: address.href, max: 1 }));
  const worker = createDb(createPool({ url: address.href, role: 'parkline_worker', max: 1 }));
  const verify = async (head: string) => {
    process.exitCode = undefined;
    const said = await parkline('audit', 'verify', '--account', 'heads', '--head', head);
    return { exit: process.exitCode, said: said.split('\n')[1] };
  };
  try {
    const accountId = await givenAccount(owner, 'heads');
    const write = (at: string) =>
      withAccount(owner, accountId, (trx) =>
        writeDeed(trx, { accountId, at: new Date(at), personId: null, action: 'park.looked' }),
      );
    const heads: string[] = [];
    for (const year of [2020, 2021, 2026]) {
      await write(`${year}-01-01T00:00:00Z`);
      const told = await parkline('audit', 'verify', '--account', 'heads', '--json');
      heads.push(`${heads.length + 1}:${JSON.parse(told).head}`);
    }
    const [oldest, older] = heads as [string, string];
    const still = (head: string) => ({ exit: undefined, said: `${head}: still what it was` });
    expect(await verify(oldest)).toEqual(still(oldest));
    const other = `1:${'0'.repeat(64)}`;
    expect(await verify(other)).toMatchObject({ exit: 1, said: expect.stringMatching(/^REWRITTEN: /) });
    expect(await auditTrail.cut(worker, new Date('2023-01-01'), new Date('2026-01-02'))).toBe(2);
    expect(await verify(older)).toEqual(still(older)); // The chain begins with it.
    expect(await verify(oldest)).toMatchObject({
      ...{ exit: 3, said: expect.stringMatching(/^UNKNOWN: .* cut off the beginning/) },
    });
  } finally {
    process.exitCode = before;
    await owner.destroy();
    await worker.destroy();
  }
});

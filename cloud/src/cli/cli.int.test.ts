import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { mixedPark, smallPark } from '../fleet/testing.ts';
import { createPasswords, people as technicians } from '../identity/index.ts';
import { withAccount } from '../platform/db.ts';
import { newKeyLine } from '../platform/secrets.ts';
import { clonedDatabase, emptyDatabase } from '../platform/testing.ts';
import { makeConfig } from '../provisioning/config-make.ts';
import { configs } from '../provisioning/config-repository.ts';
import * as db from './db.ts';
import * as gateway from './gateway.ts';
import * as park from './park.ts';
import * as places from './places.ts';

const { url, owner } = await clonedDatabase();
const cwd = await mkdtemp(join(tmpdir(), 'parkline-cli-'));
afterAll(() => rm(cwd, { recursive: true }));
const file = async (name: string, content: unknown) => {
  await writeFile(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
  return name;
};

/** Runs one command as bin/parkline.js does and returns what it printed; `said` gets what it said beside that. */
async function parkline(
  args: string[],
  env: NodeJS.ProcessEnv = { DATABASE_URL: url },
  said: string[] = [],
): Promise<string> {
  let printed = '';
  const out = (text: string) => void (printed += text);
  const io = { out, err: (text: string) => void said.push(text), env, cwd };
  const program = new Command('parkline').exitOverride().configureOutput({ writeErr: () => undefined });
  for (const noun of [db, park, places, gateway]) noun.register(program, io);
  await program.parseAsync(args, { from: 'user' });
  return printed;
}

const person = {
  role: 'facility_engineer',
  login: 'engineer',
  name: 'Lin Hao',
  password: 'a password of this park',
};
const seed = async (people: unknown[] = [person]) =>
  JSON.parse(
    await parkline([
      ...['park', 'seed', await file('park.yaml', smallPark), '--json'],
      ...['--people', await file('people.json', people)],
    ]),
  );
const ports = () =>
  file('ports.json', { 'a-panel': { host: '10.0.0.7', port: 502 }, 'b-riser': { host: 'b', port: 1 } });

test('db migrate brings an empty database forward, and says so again when there is nothing to do', async () => {
  const env = { DATABASE_URL: await emptyDatabase() };
  expect(JSON.parse(await parkline(['db', 'migrate', '--json'], env)).ran).toContain('0001_platform_roles');
  expect(await parkline(['db', 'migrate'], env)).toMatch(/^0 migrations run/);
});

describe('park seed', () => {
  test('makes the park and its people once, and prints the gateways', async () => {
    const first = await seed();
    expect(first).toEqual({
      account: expect.any(String),
      key: 'small',
      people: ['engineer'],
      notes: [],
      gateways: [
        { key: 'gw-a', id: expect.any(String), name: 'Gateway A' },
        { key: 'gw-b', id: expect.any(String), name: 'Gateway B' },
      ],
    });
    const row = () =>
      owner.selectFrom('person').selectAll().where('login', '=', 'engineer').executeTakeFirstOrThrow();
    const before = await row();
    expect(await seed()).toEqual(first);
    expect(await row()).toEqual(before);
    expect(await createPasswords().verify(person.password, before.passwordHash)).toBe(true);
  });

  test('makes tenants, skills and areas of people, and notes what this park has no use for', async () => {
    const people = [
      { ...person, login: 'tech', role: 'technician', skills: ['hvac'], areas: ['m', 'm-1', 'm-9'] },
      { ...person, login: 'chef', role: 'tenant_admin', tenant: 'bistro' },
      { ...person, login: 'ghost', role: 'tenant_admin', tenant: 'nobody' },
    ];
    const args = ['park', 'seed', await file('mixed.yaml', mixedPark), '--json'];
    const seeded = JSON.parse(await parkline([...args, '--people', await file('mixed.json', people)]));
    expect(seeded.people).toEqual(['tech', 'chef']);
    expect(seeded.notes).toEqual([
      'tech: this park has no building or floor m-9, the area is left out',
      'ghost is left out: this park has no tenant nobody',
    ]);
    const places = await owner
      .selectFrom('building')
      .innerJoin('floor', 'floor.buildingId', 'building.id')
      .select(['building.id as building', 'floor.id as floor'])
      .where('building.key', '=', 'm')
      .executeTakeFirstOrThrow();
    const [technician] = await technicians.technicians(owner, seeded.account);
    expect(technician).toMatchObject({ name: 'Lin Hao', skills: ['hvac'] });
    expect(technician?.areas.toSorted()).toEqual([places.building, places.floor].toSorted());
    await expect(
      parkline([
        ...args,
        '--people',
        await file('bad.json', [{ ...people[1], login: 'x', tenant: undefined }]),
      ]),
    ).rejects.toThrow('/0/tenant is needed for tenant_admin and tenant_employee and for nobody else');
  });

  test('refuses people it cannot make, naming the field', async () => {
    await expect(seed([{ ...person, role: 'king' }])).rejects.toThrow('/0/role');
    await expect(seed([{ ...person, password: 'short' }])).rejects.toThrow('/0/password');
  });

  test('says what is wrong with the file, and that there is none', async () => {
    await file('bad.yaml', smallPark.replace('bus: a-panel, unit: 1', 'bus: nowhere, unit: 1'));
    await expect(parkline(['park', 'seed', 'bad.yaml'])).rejects.toThrow('meter a-main');
    await expect(parkline(['park', 'seed', 'gone.yaml'])).rejects.toThrow('there is no file gone.yaml');
  });
});

test('places import names the rows that still need something, and stores them', async () => {
  const { key } = await seed();
  const table = await file(
    'riser.csv',
    'key,name_en,template,gateway,building,bus,address\na-new,New,three-phase-meter/carlo-em24,gw-a,a,a-riser,9\n',
  );
  const said: string[] = [];
  const args = ['places', 'import', table, '--kind', 'equipment', '--account', key];
  const [first, ...more] = (await parkline(args, undefined, said)).split('\n');
  expect([first, more.length]).toEqual(['added 1, changed 0, 0 unchanged', 2]);
  expect(said).toEqual([
    expect.stringMatching(/^warning: riser.csv, row 2, bus: Nobody has described the bus "a-riser"/),
  ]);
  const undone = await parkline(['places', 'undo', more[0]!.split(' ')[3]!, '--account', key]);
  expect(undone).toBe('1 rows are as they were before\n');
});

describe('gateway', () => {
  test('config prints the gateway.yaml, changed as told', async () => {
    const { gateways } = await seed();
    const args = ['gateway', 'config', 'gw-a', '--ports', await ports(), '--set', 'nats.url=nats://hub:4222'];
    const config = parse(await parkline([...args, '--yaml', '--set', 'report.every=true']));
    expect(config).toMatchObject({
      gatewayId: gateways[0].id,
      timezone: 'Asia/Shanghai',
      nats: { url: 'nats://hub:4222' },
      report: { every: true },
      connections: [{ id: 'a-panel', params: { host: '10.0.0.7', port: 502 } }],
    });
    expect(config.connections[0].devices).toHaveLength(2);
    expect(config.connections[0].devices[0].points.length).toBeGreaterThan(5);
    expect(JSON.parse(await parkline([...args, '--json'])).gatewayId).toBe(gateways[0].id);
  });

  test('config --note lets the cloud make the same configuration, and asks for no bus twice', async () => {
    const { account, gateways } = await seed();
    const id = gateways[0].id as string;
    const env = { DATABASE_URL: url, SECRETS_KEY_FILE: join(cwd, await file('keys', newKeyLine('one'))) };
    const config = async (places: string, ...more: string[]) =>
      parkline(
        ['gateway', 'config', 'gw-a', '--ports', places, '--set', 'nats.url=nats://hub:4222', ...more],
        env,
      );
    const inForce = async () =>
      withAccount(owner, account, async (trx) => ({
        noted: await configs.inForce(trx, account, id),
        made: await makeConfig(
          trx,
          account,
          { id, name: { en: 'Gateway A' }, buildingId: randomUUID() },
          'nats://hub:4222',
        ),
      }));
    const before = async () => {
      const { rows } = await sql<{ claimed: boolean; configured: boolean; buses: number; n: number }>`
        select claimed_at is not null as claimed, configured_at is not null as configured,
          (select count(*)::int from bus b where b.gateway_id = g.id) as buses,
          (select max(n) from gateway_config c where c.gateway_id = g.id) as n from gateway g where g.id = ${id}`.execute(
        owner,
      );
      return rows[0];
    };
    expect(await before()).toMatchObject({ buses: 0, n: null });
    await expect(inForce()).rejects.toMatchObject({ details: { why: 'no_bus', buses: ['a-panel'] } });
    for (let again = 0; again < 2; again += 1) await config(await ports(), '--note');
    expect(await before()).toMatchObject({ buses: 1, n: 1 });
    const { noted, made } = await inForce();
    expect(parse(noted!.yaml)).toEqual({ ...parse(made), timezone: 'Asia/Shanghai' });

    // Elsewhere now: one text in force, and what the file leaves out is known.
    const moved = await file('moved.json', { 'a-panel': { host: '10.0.0.8', port: 502 } });
    await config(moved, '--note');
    expect(await before()).toMatchObject({ buses: 1, n: 1 });
    expect((await inForce()).noted!.yaml).toContain('10.0.0.8');
    expect(await config(await file('none.json', {}))).toContain('10.0.0.8');

    const secret = `s-${randomUUID()}`;
    const guarded = await file('guarded.json', {
      'a-panel': { params: { host: '10.0.0.8', port: 502, password: secret } },
    });
    for (let again = 0; again < 2; again += 1) expect(await config(guarded, '--note')).toContain(secret);
    const { rows: kept } = await sql<{ text: string }>`
      select concat(b.params, c.yaml, s.sealed_value) as text from bus b
      join bus_secret s on s.bus_id = b.id join gateway_config c on c.gateway_id = b.gateway_id
      where b.gateway_id = ${id}`.execute(owner);
    expect(kept).toHaveLength(1);
    expect(kept[0]!.text).not.toContain(secret);
    expect((await inForce()).noted!.yaml).toContain('${secret:a-panel:password}');
    const set = `buses.0.params.token=${secret}`;
    await expect(config(guarded, '--note', '--set', set)).rejects.toThrow('token');
  });

  test('trust stores an Ed25519 key and nothing else', async () => {
    const { gateways } = await seed();
    const pem = (key: { export(o: { type: 'spki'; format: 'pem' }): unknown }) =>
      key.export({ type: 'spki', format: 'pem' });
    const { publicKey } = generateKeyPairSync('ed25519');
    await parkline(['gateway', 'trust', 'gw-b', '--public-key', await file('pub.pem', pem(publicKey))]);
    const row = await owner
      .selectFrom('gateway')
      .select('publicKey')
      .where('id', '=', gateways[1].id)
      .executeTakeFirstOrThrow();
    expect(row.publicKey).toBe(pem(publicKey));

    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const other = await file('rsa.pem', pem(rsa.publicKey));
    await expect(parkline(['gateway', 'trust', 'gw-b', '--public-key', other])).rejects.toThrow('Ed25519');
  });

  test('a key that no park knows is refused; one that two parks know needs the park', async () => {
    await seed();
    await parkline(['park', 'seed', await file('twin.yaml', smallPark.replace('key: small', 'key: twin'))]);
    const config = async (key: string, ...more: string[]) =>
      parkline(['gateway', 'config', key, '--ports', await ports(), ...more]);
    await expect(config('gw-x')).rejects.toThrow('there is no gateway gw-x');
    await expect(config('gw-a')).rejects.toThrow('--account small or twin');
    expect(await config('gw-a', '--account', 'twin')).toContain('Gateway A');
    // Whoever runs a park here means that one.
    await writeFile(join(cwd, 'run.json'), JSON.stringify({ database: url, account: 'twin' }));
    const args = ['gateway', 'config', 'gw-a', '--ports', await ports(), '--json'];
    const usual = JSON.parse(await parkline(args, { PARKLINE_HOME: cwd }));
    expect(usual).toEqual(JSON.parse(await parkline([...args, '--account', 'twin'])));
    await rm(join(cwd, 'run.json'));
    await expect(config('gw-a', '--account', 'none')).rejects.toThrow('in none');
    // The other tests name a gateway without its park.
    await owner.deleteFrom('point').where('accountId', 'in', twins()).execute();
    for (const table of ['equipment', 'gateway'] as const)
      await owner.deleteFrom(table).where('accountId', 'in', twins()).execute();
  });
  const twins = () => owner.selectFrom('account').select('id').where('key', '=', 'twin');
});

test('a park that runs is found by its run.json, and where there is none the command says what to do', async () => {
  await expect(parkline(['db', 'migrate'], {})).rejects.toThrow(/npm start, .* or set DATABASE_URL/);
  await writeFile(join(cwd, 'run.json'), JSON.stringify({ database: url, account: 'small' }));
  expect(await parkline(['db', 'migrate'], { PARKLINE_HOME: cwd })).toMatch(/^0 migrations run/);
});

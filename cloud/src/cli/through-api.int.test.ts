import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiKey, type MadeApiKey, readClaimCode } from '@parkline/contract';
import { Command } from 'commander';
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { commandRoutes, fleetRoutes } from '../fleet/index.ts';
import { givenFleet, smallPark } from '../fleet/testing.ts';
import { commissioningRoutes } from '../commissioning/index.ts';
import { apiKeyRoutes } from '../identity/index.ts';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { importRoutes } from '../imports/index.ts';
import { placeRecordRoutes } from '../places/index.ts';
import { systemWait } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { codeRoutes, configRoutes, gatewayRoutes } from '../provisioning/index.ts';
import { sheetKinds } from '../sheet-kinds.ts';
import * as command from './command.ts';
import * as commissioning from './commissioning.ts';
import * as gateway from './gateway.ts';

const { app: db, owner } = await clonedDatabase();
const accountId = await givenAccount(owner);
await givenFleet(owner, accountId, smallPark);
const admin = await loggedIn(owner, accountId, ['account_admin']);
const now = () => new Date();
const app = await createTestApp(db);
const deps = { db, now, newId, wait: systemWait, gatewayNatsUrl: 'tls://hub:4222' };
for (const plugin of [
  apiKeyRoutes(deps),
  commandRoutes(deps),
  commissioningRoutes(deps),
  fleetRoutes(deps),
  placeRecordRoutes(deps),
  importRoutes({ ...deps, kinds: sheetKinds }),
  codeRoutes(deps),
  configRoutes(deps),
  gatewayRoutes(deps),
])
  await app.register(plugin);
await app.listen({ port: 0, host: '127.0.0.1' });
const cwd = await mkdtemp(join(tmpdir(), 'parkline-api-'));
afterAll(async () => {
  await app.close();
  await rm(cwd, { recursive: true });
});
const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

let said = '';
beforeEach(() => {
  said = '';
  process.exitCode = undefined;
});
afterAll(() => {
  process.exitCode = undefined;
});

/** Runs a command; what it says beside its output is in `said`. */
async function parkline(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  let printed = '';
  const io = {
    out: (text: string) => void (printed += text),
    err: (text: string) => void (said += text),
    env: { PARKLINE_URL: url, XDG_CONFIG_HOME: join(cwd, 'nobody'), ...env },
    cwd,
  };
  const program = new Command('parkline').exitOverride().configureOutput({ writeErr: () => undefined });
  for (const { register } of [command, commissioning, gateway]) register(program, io);
  await program.parseAsync(args, { from: 'user' });
  return printed;
}

/** As `parkline login` leaves the session of the administrator. */
const asAdmin = async () => {
  const config = join(cwd, 'config');
  const cookies = {
    parkline_session: admin.cookie.split('=')[1],
    parkline_csrf: admin['x-csrf-token'],
  };
  await mkdir(join(config, 'parkline'), { recursive: true });
  const text = JSON.stringify({ url, login: 'ada', cookies });
  await writeFile(join(config, 'parkline', 'session.json'), text, { mode: 0o600 });
  return { XDG_CONFIG_HOME: config };
};

describe('a program comes with an API key', () => {
  const make = async (...scopes: string[]): Promise<MadeApiKey> => {
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const payload = { name: 'Report', scopes, expiresAt };
    const made = await app.inject({ method: 'POST', url: '/api/api-keys', headers: admin, payload });
    return made.json();
  };
  const list = (env: NodeJS.ProcessEnv, ...more: string[]) =>
    parkline(env, 'gateway', 'list', '--json', ...more);

  test('from the environment or a file of its own, and from no other file', async () => {
    const { key } = await make('gateway.read');
    const keys = async (listed: Promise<string>) =>
      (JSON.parse(await listed) as { key: string }[]).map((one) => one.key);
    expect(await keys(list({ PARKLINE_API_KEY: key }))).toEqual(['gw-a', 'gw-b']);

    const file = join(cwd, 'key');
    await writeFile(file, `${key}\n`, { mode: 0o600 });
    expect(await keys(list({ PARKLINE_API_KEY_FILE: file }))).toEqual(['gw-a', 'gw-b']);
    expect(await keys(list({}, '--key-file', 'key'))).toEqual(['gw-a', 'gw-b']);
    await expect(list({ PARKLINE_API_KEY_FILE: file, PARKLINE_API_KEY: key })).rejects.toThrow('both set');
    await expect(list({}, '--key-file', 'key', '--login', 'ada')).rejects.toThrow('for a person');
    await chmod(file, 0o640);
    await expect(list({ PARKLINE_API_KEY_FILE: file })).rejects.toThrow(
      `${file} is open to others (mode 640)`,
    );
    await expect(list({ PARKLINE_API_KEY_FILE: join(cwd, 'none') })).rejects.toThrow(
      'cannot read the API key',
    );
  });

  test('a person who is named on the command line is meant all the same', async () => {
    const { key } = await make('gateway.read');
    const env = { PARKLINE_API_KEY: key, PARKLINE_PASSWORD: 'wrong' };
    await expect(list(env, '--login', 'ada')).rejects.toThrow('ada cannot log in');
  });

  test('what is no key is not sent, and not said', async () => {
    const wrong = list({ PARKLINE_API_KEY: 'pk_1 with\na secret' });
    await expect(wrong).rejects.toThrow(/^PARKLINE_API_KEY holds no API key/);
    await expect(wrong).rejects.not.toThrow('secret');
  });

  test('what its scopes do not allow is refused by the name of the scope', async () => {
    const { key } = await make('gateway.read');
    const orders = () => parkline({ PARKLINE_API_KEY: key }, 'command', 'list');
    await expect(orders()).rejects.toThrow('this API key lacks the scope command.read');
  });

  test('what only a person may do is refused whatever the scopes, and is not done', async () => {
    const { key } = await make('gateway.read', 'gateway.write', 'place.read', 'equipment.write');
    const env = { PARKLINE_API_KEY: key };
    await expect(parkline(env, 'gateway', 'claim-code', 'gw-a')).rejects.toThrow('no API key may do this');
    const add = ['gateway', 'add', 'gw-key', '--name', 'K', '--building', 'a'];
    await expect(parkline(env, ...add)).rejects.toThrow('no API key may do this');
    await writeFile(join(cwd, 'keyed.csv'), 'key,building,name_en\ngw-key,a,K\n');
    await expect(parkline(env, 'gateway', 'add', '--table', 'keyed.csv')).rejects.toThrow(
      'no API key may do this',
    );
    expect(await list(env)).not.toContain('gw-key');
  });

  test('one that was revoked is said to be of no use', async () => {
    const { key, id } = await make('gateway.read');
    const gone = await app.inject({ method: 'DELETE', url: `/api/api-keys/${id}`, headers: admin });
    expect(gone.json<ApiKey>().revokedAt).not.toBeNull();
    await expect(list({ PARKLINE_API_KEY: key })).rejects.toThrow(`${url} does not know this API key`);
  });
});

test('a report on meters that are not proven is refused by their names, and that there is none is said', async () => {
  const report = async (...args: string[]) => parkline(await asAdmin(), 'commissioning', 'report', ...args);
  await expect(report('--gateway', 'gw-a')).rejects.toThrow(
    /^no report on gw-a: a-main, a-sub: not proven yet; parkline commissioning record /,
  );
  const bare = ['gw-bare', '--name', 'Bare', '--building', 'b'];
  await parkline(await asAdmin(), 'gateway', 'add', ...bare);
  await expect(report('--gateway', 'gw-bare')).rejects.toThrow('it has no meters to prove');
  said = '';
  expect([await report(), said]).toEqual(['', expect.stringMatching(/^no report yet: .*--gateway KEY/)]);
});

describe('gateway add', () => {
  const run = async (...args: string[]) => parkline(await asAdmin(), 'gateway', 'add', ...args);
  const added = async (...args: string[]) => JSON.parse(await run(...args, '--json'));
  const codesOf = async (id: string) => {
    const reply = await app.inject({ url: `/api/gateways/${id}/claim-codes`, headers: admin });
    return reply.json<{ items: { state: string }[] }>().items.length;
  };
  const gw = ['gw-c', '--name', 'Plant room C', '--building', 'a'];
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  test('makes the gateway and its code in one go, and a second time neither', async () => {
    const file = join(cwd, 'code.txt');
    const first = await added(...gw, '--claim-code', 'code.txt', '--hours', '8');
    expect(first).toMatchObject({
      ...{ key: 'gw-c', name: { en: 'Plant room C', zh: 'Plant room C' }, added: true },
      claimCode: { expiresAt: expect.any(String), file },
    });
    expect(Date.parse(first.claimCode.expiresAt) - Date.now()).toBeGreaterThan(7.9 * 3_600_000);
    const code = await readFile(file, 'utf8');
    expect([readClaimCode(code.trim()), await mode(file)]).toEqual([expect.any(String), '600']);

    const again = await added(...gw, '--claim-code', 'code.txt');
    expect(again).toMatchObject({ id: first.id, added: false, claimCode: first.claimCode });
    expect([await readFile(file, 'utf8'), await codesOf(first.id)]).toEqual([code, 1]);
    await rm(file);
    await run(...gw, '--claim-code', 'code.txt');
    expect(said).toMatch(/^gw-c was there already\ncode.txt holds its code until /);
    expect([await readFile(file, 'utf8'), await codesOf(first.id)]).not.toEqual([code, 1]);
    expect(await run(...gw, '--claim-code', '-')).toMatch(/^(\w{4}-){4}\w{4}\n$/);
  });

  test('writes over no other file, and changes no gateway', async () => {
    await writeFile(join(cwd, 'letter.txt'), 'Dear Ada');
    await expect(run(...gw, '--claim-code', 'letter.txt')).rejects.toThrow('holds no claim code');
    expect(await readFile(join(cwd, 'letter.txt'), 'utf8')).toBe('Dear Ada');
    await expect(run('gw-c', '--name', 'Roof', '--building', 'b')).rejects.toThrow(
      'there is a gateway gw-c, and it hangs in another building and its name is "Plant room C"; nothing was changed',
    );
    await expect(run('gw-d', '--name', 'D', '--building', 'z')).rejects.toThrow(
      'there is no building z; there are: a, b',
    );
    await expect(run('Gw D', '--name', 'D', '--building', 'a')).rejects.toThrow('body.key');
  });

  test.each([
    ['nothing', [], 'name a gateway, or --table FILE'],
    ['no building', ['gw-d', '--name', 'D'], 'gw-d needs --name and --building'],
    ['no name', ['gw-d', '--building', 'a'], 'gw-d needs --name and --building'],
    ['a gateway and a table', ['gw-d', '--table', 'x.csv'], '--table brings'],
    ['a trial of one', [...gw, '--dry-run'], '--dry-run goes with --table'],
  ])('with %s says how it is used', async (_what, args, words) => {
    await expect(run(...args)).rejects.toThrow(words);
  });

  test('a gateway that has joined gets no other code', async () => {
    await owner.updateTable('gateway').set({ claimedAt: now() }).where('key', '=', 'gw-b').execute();
    const b = ['gw-b', '--name', 'Gateway B', '--building', 'b', '--claim-code', 'b.txt'];
    expect(await added(...b)).toMatchObject({ added: false, claimCode: null });
    await expect(stat(join(cwd, 'b.txt'))).rejects.toThrow('ENOENT');
  });

  test('a table is tried, stored, the same again, and its faults are told by their rows', async () => {
    const table = async (...rows: string[]) => {
      await writeFile(join(cwd, 'gws.csv'), ['key,building,name_en,name_zh', ...rows, ''].join('\n'));
      return ['--table', 'gws.csv'];
    };
    const two = await table('gw-e,a,East,东', 'gw-f,b,Roof,');
    expect(await run(...two, '--dry-run')).toBe('would add 2, change 0, 0 unchanged\n');
    expect(await run(...two)).toMatch(/^added 2, changed 0, 0 unchanged\n/);
    expect(await added(...two)).toMatchObject({ add: 0, change: 0, unchanged: 2 });
    await run(...(await table('gw-g,z,G,', 'GW H,a,H,', 'gw-e,a,East wing,东')));
    expect(process.exitCode).toBe(1);
    expect(said).toBe(
      'gws.csv, row 2, building: There is no building "z".\n' +
        'gws.csv, row 3, key: "GW H" is not written like "gw-1".\n',
    );
    const { rows } = await sql<{ key: string; en: string }>`
      select key, name ->> 'en' as en from gateway where account_id = ${accountId} and key >= 'gw-e' order by key`.execute(
      owner,
    );
    expect(rows).toEqual([
      { key: 'gw-e', en: 'East' },
      { key: 'gw-f', en: 'Roof' },
    ]);
  });

  test('an import is taken back while no gateway of it has joined', async () => {
    const undo = async (id: string) => {
      const reply = await app.inject({ method: 'POST', url: `/api/imports/${id}/undo`, headers: admin });
      return [reply.statusCode, reply.json()] as const;
    };
    await writeFile(join(cwd, 'more.csv'), 'key,building,name_en\ngw-m,a,M\ngw-n,a,N\n');
    const { batchId } = await added('--table', 'more.csv');
    const claimed = (at: Date | null) =>
      owner.updateTable('gateway').set({ claimedAt: at }).where('key', '=', 'gw-n').execute();
    await claimed(now());
    expect(await undo(batchId)).toMatchObject([409, { details: { errors: [{ field: 'gw-n' }] } }]);
    await claimed(null);
    expect(await undo(batchId)).toEqual([200, { rows: 2 }]);
  });

  test('a table of gateways takes a fresh second factor, as one gateway does', async () => {
    await owner
      .updateTable('session')
      .set({ factorAt: new Date(Date.now() - 3_600_000) })
      .where('accountId', '=', accountId)
      .execute();
    const send = (kind: string) =>
      app.inject({
        ...{ method: 'POST', url: `/api/imports?kind=${kind}&dryRun=true`, payload: 'key,building\n' },
        headers: { ...admin, 'content-type': 'text/csv' },
      });
    const replies = [await send('gateways'), await send('equipment')];
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([403, 200]);
    expect(replies[0]!.json()).toMatchObject({ code: 'second_factor_enrol' });
  });
});

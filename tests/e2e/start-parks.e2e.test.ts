import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { roles } from '@parkline/contract';
import { describe, expect, inject, test } from 'vitest';
import { query } from '../../deploy/local/postgres.ts';
import { login, scratchHome } from '../support/park.ts';
import { entersDatabase, entersPortal, scanForCredentials } from '../support/usual-credentials.ts';
import { endWhatStarted, living, npmStart, quick, untilReady } from './npm-start.ts';

endWhatStarted();

describe('npm start, the demo park', () => {
  test('has a person of every role and a second operator, whose people see their own park only', async () => {
    const home = await scratchHome();
    const npm = npmStart(home, ['--history-months', '0']);
    const run = await untilReady(npm, home);
    expect([...new Set(run.users.map(({ role }) => role))].sort()).toEqual([...roles].sort());
    expect(run.account).toBe('demo');

    const ask = async <T>(role: string, account: string | undefined, path: string): Promise<T> => {
      const get = await login(run, role, account);
      return (await get(path)).json() as Promise<T>;
    };
    const keys = [
      '/api/places',
      '/api/equipment',
      '/api/points',
      '/api/spaces',
      '/api/tenants',
      '/api/leases',
    ];
    for (const path of keys) {
      const ours = JSON.stringify(await ask('account_admin', undefined, path));
      const theirs = JSON.stringify(await ask('account_admin', 'riverside', path));
      const ids = (text: string) => text.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? [];
      expect([path, ids(theirs).length > 0, ids(ours).length > 0]).toEqual([path, true, true]);
      expect(ids(ours).filter((id) => theirs.includes(id))).toEqual([]);
    }
    interface Named {
      items: { name: string }[];
    }
    const spaces = await ask<Named>('tenant_admin', undefined, '/api/spaces');
    expect(spaces.items.map(({ name }) => name)).toEqual(['Unit 301', 'Unit 302']);
    const [other] = (await ask<{ items: { id: string }[] }>('account_admin', 'riverside', '/api/points'))
      .items;
    const engineer = await login(run);
    const { search } = new URL('http://x/?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z');
    expect((await engineer(`/api/points/${other?.id}/history${search}`)).status).toBe(404);

    npm.process.kill('SIGTERM');
    await npm.ended;
    await rm(home, { recursive: true, force: true });
  });
});

describe('npm start -- --no-demo', () => {
  test('starts an empty park whose first administrator is made with a one-time token', async () => {
    const home = await scratchHome();
    const npm = npmStart(home, ['--no-demo']);
    const run = await untilReady(npm, home);
    expect(run).toMatchObject({ users: [], gateways: [] });
    const token = /one-time token: (\S+)/.exec(npm.output())?.[1];
    expect(token).toBeDefined();
    expect((await scanForCredentials(run)).working).toEqual([]);

    const park = { en: 'Harbour Park', zh: '港湾园区' };
    const first = { login: 'first', name: 'First', password: 'correct horse battery', park };
    const setup = (body: object): Promise<Response> =>
      fetch(`${run.url}/api/setup`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...first, ...body }),
      });
    expect((await setup({ token: 'wrong' })).ok).toBe(false);
    expect((await setup({ token })).ok).toBe(true);
    expect((await setup({ token, login: 'second' })).ok).toBe(false);
    // The doors that were tried let in who has the credential.
    expect(await entersPortal(run.url, { name: 'first', password: 'correct horse battery' })).toBe(true);
    const { username: name, password } = new URL(run.database);
    expect(await entersDatabase(run.database, { name, password })).toBe(true);

    npm.process.kill('SIGTERM');
    await npm.ended;
    // The home knows what it holds: no demo is put into it, said or not.
    const again = npmStart(home, []);
    expect(await untilReady(again, home)).toMatchObject({ users: [], gateways: [] });
    expect(again.output()).not.toContain('token');
    again.process.kill('SIGTERM');
    await again.ended;

    const demo = npmStart(home, quick);
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toContain('this home holds an empty park');
    await rm(home, { recursive: true, force: true });
  });
});

describe('npm start refuses, with one sentence and nothing left behind,', () => {
  async function refusal(
    env: Readonly<Record<string, string>>,
    args: readonly string[] = quick,
  ): Promise<string> {
    const home = await scratchHome();
    const npm = npmStart(home, args, env);
    expect(await npm.ended).toBe(1);
    expect(existsSync(join(home, 'run.json'))).toBe(false);
    const text = existsSync(join(home, 'processes.json'))
      ? await readFile(join(home, 'processes.json'), 'utf8')
      : '[]';
    expect(living((JSON.parse(text) as { pid: number }[]).map(({ pid }) => pid))).toEqual([]);
    await rm(home, { recursive: true, force: true });
    return npm.output();
  }

  test('a port that is in use', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    expect(await refusal({ PORT: String(port) })).toContain(`port ${port} is in use`);
    server.close();
  });

  test('a database that does not answer', async () => {
    const said = await refusal({ DATABASE_URL: 'postgres://me:hidden@127.0.0.1:1/park' });
    expect(said).toContain('the database of DATABASE_URL cannot be used');
    expect(said).not.toContain('hidden');
  });

  test('a message server that does not answer', async () => {
    expect(await refusal({ NATS_URL: 'nats://127.0.0.1:1' })).toContain(
      'the message server of NATS_URL cannot be reached',
    );
  });

  test('an option that does not exist', async () => {
    expect(await refusal({}, ['--demo'])).toContain('--demo');
  });

  test('a database that is newer than the code', async () => {
    const server = inject('postgresUrl');
    const name = `start_${process.pid}`;
    await query(server, `create database ${name}`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    const home = await scratchHome();
    const first = npmStart(home, ['--no-demo'], { DATABASE_URL: url.href });
    await untilReady(first, home);
    first.process.kill('SIGTERM');
    await first.ended;

    await query(
      url.href,
      `insert into migration (name, timestamp) values ('9999_future_thing', now()::text)`,
    );
    const said = await refusal({ DATABASE_URL: url.href }, ['--no-demo']);
    expect(said).toMatch(/newer/);
    await rm(home, { recursive: true, force: true });
    await sleep(100);
    await query(server, `drop database ${name} with (force)`);
  });
});

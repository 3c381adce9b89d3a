import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PersonalExport } from '@parkline/contract';
import { afterAll, expect, test } from 'vitest';
import { personReferences, verifyAudit } from './identity/index.ts';
import { givenPerson, loggedIn } from './identity/testing.ts';
import { register } from './cli/person.ts';
import { Command } from 'commander';
import { clonedDatabase } from './platform/testing.ts';
import { serveApi } from './testing-api.ts';
import { givenFullAccount } from './testing.ts';

const database = await clonedDatabase();
const { owner, pool, url: databaseUrl } = database;
const rows = pool();
const ours = await givenFullAccount(rows);
const { app, url } = await serveApi(database);
afterAll(() => app.close());
const boss = ours.as.account_admin;

const call = (method: string, path: string, headers: Record<string, string> = boss, body?: object) =>
  fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });

/** Somebody who left traces: rights, a session, a command, deeds of the own and of others. */
async function somebody() {
  const login = `erika-${Math.random().toString(36).slice(2)}@example.org`;
  const person = await givenPerson(owner, { accountId: ours.accountId, login, roles: ['technician'] });
  const version = 1;
  const edited = await call(
    'PATCH',
    `/api/people/${person.id}`,
    { ...boss, 'if-match': `"${version}"` },
    {
      ...{ name: 'Erika Muster', email: login, skills: ['hvac'] },
    },
  );
  expect(edited.status).toBe(200);
  await fetch(`${url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password: person.password }),
  });
  await rows.query('update command set actor_id = $1, actor_name = $2 where account_id = $3', [
    person.id,
    'Erika Muster',
    ours.accountId,
  ]);
  return { ...person, name: 'Erika Muster' };
}

/** Somebody who administers beside the one there is. */
async function administrator() {
  const headers = await loggedIn(owner, ours.accountId, ['account_admin']);
  const { id } = (await (await call('GET', '/api/me', headers)).json()) as { id: string };
  return { id, ...headers };
}

/** Every table of ours that still holds one of the words, anywhere in a row. */
async function tablesWith(words: readonly string[]): Promise<string[]> {
  const { rows: tables } = await rows.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await rows.query(
      `select from "${name}" t where exists (select from unnest($1::text[]) w where position(lower(w) in lower(t::text)) > 0) limit 1`,
      [words],
    );
    if (rowCount) found.push(name);
  }
  return found;
}

test('all that is kept about a person is handed out, without what opens doors, and the audit knows', async () => {
  const { id, login } = await somebody();
  const reply = await call('GET', `/api/people/${id}/export`);
  const { data } = (await reply.json()) as PersonalExport;
  expect(data['person']).toMatchObject([{ login, name: 'Erika Muster' }]);
  expect(Object.keys(data)).toEqual(
    expect.arrayContaining(['role_grant.person_id', 'session.person_id', 'command.actor_id', 'audit_event']),
  );
  expect(JSON.stringify(data)).not.toMatch(/argon2|token_hash|sealed/);
  const { rows: deeds } = await rows.query('select from audit_event where subject_id = $1 and action = $2', [
    id,
    'person.exported',
  ]);
  expect(deeds).toHaveLength(1);
});

test('everybody is handed the own data, and nobody that of another without the right', async () => {
  const me = await loggedIn(owner, ours.accountId, ['guard']);
  const own = (await (await call('GET', '/api/me/export', me)).json()) as PersonalExport;
  expect(own.data['person']).toHaveLength(1);
  const { id } = await somebody();
  for (const headers of [me, ours.as.tenant_admin])
    expect((await call('GET', `/api/people/${id}/export`, headers)).status).toBe(403);
});

test('nothing personal is left of somebody who is erased, in no table, and the chain of the audit holds', async () => {
  const { id, login, password } = await somebody();
  expect((await call('POST', `/api/people/${id}/erase`, boss, { name: 'Erika' })).status).toBe(400);
  const reply = await call('POST', `/api/people/${id}/erase`, boss, { name: 'Erika Muster' });
  expect(reply.status, await reply.text()).toBe(204);
  expect(await tablesWith([login])).toEqual([]);
  const { rows: left } = await rows.query(
    'select name, email, password_hash, erased_at from person where id = $1',
    [id],
  );
  expect(left).toMatchObject([{ name: `erased-${id.slice(-12)}`, email: null, password_hash: null }]);
  const { rows: command } = await rows.query('select actor_name from command where actor_id = $1', [id]);
  expect(command).toEqual([{ actor_name: `erased-${id.slice(-12)}` }]);
  const verdict = await verifyAudit(owner, ours.accountId);
  expect([verdict.brokenAt, verdict.erased > 0]).toEqual([null, true]);
  const login_ = await fetch(`${url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password }),
  });
  expect(login_.status).toBe(401);
  const again = await call('POST', `/api/people/${id}/enable`);
  expect([again.status, ((await again.json()) as { details: object }).details]).toMatchObject([
    409,
    { why: 'erased' },
  ]);
});

test('who is erased lets nobody in any more', async () => {
  const { id, cookie, 'x-csrf-token': token } = await administrator();
  const headers = { cookie, 'x-csrf-token': token };
  const email = `${randomUUID()}@example.org`;
  const invitation = { email, name: 'Accomplice', grants: [{ role: 'account_admin' }] };
  expect((await call('POST', '/api/invitations', headers, invitation)).status).toBe(201);
  const { name } = (await (await call('GET', '/api/me', headers)).json()) as { name: string };
  expect((await call('POST', `/api/people/${id}/erase`, boss, { name })).status).toBe(204);
  const { rows: left } = await rows.query('select revoked_at from invitation where email = $1', [email]);
  expect(left).toEqual([{ revoked_at: expect.any(Date) }]);
});

test('an answer that was kept for a key forgets who is erased', async () => {
  const login = `erika-${randomUUID()}`;
  const person = { login, name: 'Erika Muster', grants: [{ role: 'guard' }] };
  const added = await call('POST', '/api/people', { ...boss, 'idempotency-key': randomUUID() }, person);
  const { id } = (await added.json()) as { id: string };
  expect(await tablesWith([login])).toContain('idempotency_key');
  expect((await call('POST', `/api/people/${id}/erase`, boss, { name: 'Erika Muster' })).status).toBe(204);
  expect(await tablesWith([login])).toEqual([]);
});

test('the last administrator is not erased', async () => {
  const { rows: found } = await rows.query<{ id: string; name: string }>(
    `select p.id, p.name from person p join role_grant g on g.person_id = p.id where g.role = 'account_admin' and g.account_id = $1`,
    [ours.accountId],
  );
  const [{ id, name }] = found as [{ id: string; name: string }];
  expect((await call('POST', `/api/people/${id}/erase`, boss, { name })).status).toBe(409);
});

test('the command line hands out and erases, too', async () => {
  const { id, login } = await somebody();
  const out: string[] = [];
  const io = {
    out: (text: string) => void out.push(text),
    err: () => undefined,
    env: { DATABASE_URL: databaseUrl },
    cwd: '/',
  };
  const run = (...args: string[]) => {
    const program = new Command().exitOverride();
    register(program, io);
    return program.parseAsync(['person', ...args], { from: 'user' });
  };
  await run('export', '--login', login.toUpperCase());
  expect((JSON.parse(out.join('')) as PersonalExport).personId).toBe(id);
  await expect(run('erase', '--login', login, '--name', 'Somebody')).rejects.toThrow('has another name');
  await run('erase', '--login', login, '--name', 'Erika Muster');
  expect(await tablesWith([login])).toEqual([]);
});

test('the map of personal data names every table that knows a person', async () => {
  const map = readFileSync(join(import.meta.dirname, '../../docs/privacy.md'), 'utf8');
  const missing = (await personReferences(owner)).filter(({ table }) => !map.includes(`\`${table}\``));
  expect([...new Set(missing.map(({ table }) => table))]).toEqual([]);
});

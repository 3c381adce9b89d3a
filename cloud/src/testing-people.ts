import type { Person } from '@parkline/contract';
import pino from 'pino';
import { afterAll, expect } from 'vitest';
import { startMailSink } from '../../tests/support/mail.ts';
import {
  accountRoutes,
  createLinkHolders,
  createPasswords,
  createPeopleAdmin,
  identityRoutes,
  invitationRoutes,
  letterJobs,
  linkRoutes,
  mailRoutes,
  passwordLinkRoutes,
  peopleRoutes,
} from './identity/index.ts';
import { createTestApp, testKeeper } from './identity/testing.ts';
import { newId } from './platform/ids.ts';
import { createMailer, mailJobs } from './platform/mail.ts';
import { doNextJob } from './platform/run-jobs.ts';
import { clonedDatabase } from './platform/testing.ts';
import { tenants } from './tenancy/index.ts';
import { givenFullAccount } from './testing.ts';

type Headers = Record<string, string>;

/** Two accounts with something of everything, the API that administers people, and a mail server that keeps what it gets. */
export async function servePeople() {
  const { owner, app: db, worker, pool } = await clonedDatabase();
  const rows = pool();
  const sink = await startMailSink();
  const log = pino({ enabled: false });

  /** How far the clock of links is ahead of the world's, ms. */
  const clock = { ahead: 0 };
  const now = () => new Date(Date.now() + clock.ahead);
  const passwords = createPasswords();
  const keeper = testKeeper(db);
  const app = await createTestApp(db);
  const admin = createPeopleAdmin({ db, now, newId, nameOfTenant: tenants.nameOf });
  const holders = createLinkHolders({ db, now, newId, passwords });
  /** Answers at once, and tells how long an answer was held back. */
  const waited: number[] = [];
  const wait = (ms: number) => Promise.resolve(void waited.push(ms));
  const own = { db, now, newId, passwords, sessions: keeper, nameOfTenant: tenants.nameOf };
  for (const plugin of [
    identityRoutes(own),
    accountRoutes({ db, now }),
    peopleRoutes(admin),
    passwordLinkRoutes(admin),
    invitationRoutes(admin),
    mailRoutes({ folder: '/srv/mails' }),
    linkRoutes({ holders, sessions: keeper, now, wait }),
  ])
    await app.register(plugin);
  afterAll(async () => {
    await app.close();
    await sink.stop();
  });

  const mailer = createMailer({ url: sink.url, dir: '/nowhere', from: 'park@example.org', now, newId, log });
  const handlers = {
    ...mailJobs(mailer),
    ...letterJobs({ mailer, now, publicUrl: 'https://park.example/' }),
  };
  /** Sends what waits to be sent. */
  async function post(): Promise<void> {
    while (await doNextJob({ db: worker, now, log, handlers }));
  }
  /** The mails to one mailbox, oldest first. */
  const mailsTo = (to: string) => sink.mails.filter((mail) => mail.to.includes(to));
  const linkIn = (text: string): string => /#([\w-]{43})\b/.exec(text)?.[1] ?? '';

  const ours = await givenFullAccount(rows);
  const theirs = await givenFullAccount(rows);
  const atelier = ours.tenants.get('atelier')!;
  const { account_admin: boss, tenant_admin: tenantBoss, facility_engineer: engineer } = ours.as;
  async function idOf(table: string, accountId = ours.accountId): Promise<string> {
    const found = await rows.query<{ id: string }>(`select id from ${table} where account_id = $1 limit 1`, [
      accountId,
    ]);
    return found.rows[0]!.id;
  }
  const site = await idOf('site');
  const building = await idOf('building');

  const call = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    headers: Headers = boss,
    body?: object,
  ) => app.inject({ method, url, headers, ...(body && { payload: body }) });
  const matching = (version: number): Headers => ({ ...boss, 'if-match': `"${version}"` });

  async function somebody(role = 'guard'): Promise<Person> {
    const login = `p-${newId()}`;
    const reply = await call('POST', '/api/people', boss, { login, name: 'Some Body', grants: [{ role }] });
    expect(reply.statusCode, reply.body).toBe(201);
    return reply.json();
  }
  const lastDeed = async (subject: string) =>
    (
      await rows.query<{ action: string; content: { before?: object; after?: object } }>(
        'select action, content from audit_event where subject_id = $1 order by id desc limit 1',
        [subject],
      )
    ).rows[0];
  return {
    owner,
    db,
    rows,
    sink,
    clock,
    app,
    waited,
    post,
    mailsTo,
    linkIn,
    ours,
    theirs,
    atelier,
    boss,
    tenantBoss,
    engineer,
    site,
    building,
    idOf,
    call,
    matching,
    somebody,
    lastDeed,
  };
}

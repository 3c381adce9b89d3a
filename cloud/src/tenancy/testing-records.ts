import { sql } from 'kysely';
import pino from 'pino';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { placeRecordRoutes } from '../places/index.ts';
import { newId } from '../platform/ids.ts';
import { doNextJob } from '../platform/run-jobs.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { tenancyJobs } from './jobs.ts';
import type { MoveStep } from './moves.ts';
import { tenancyRecordRoutes } from './record-routes.ts';
import { givenTenancy } from './testing.ts';

/** Places and tenants of one account, the API that administers them, and what follows from a move. */
export async function serveRecords() {
  const { app: db, owner, worker } = await clonedDatabase();
  const account = await givenAccount(owner);
  const { tenants, buildings, floors, ...given } = await givenTenancy(owner, account);
  const spaces = new Map(given.spaces);

  /** What time it is, and where a move is to fail. */
  const turn: { now: Date; failAt?: MoveStep | undefined } = { now: new Date('2026-09-01T00:00:00Z') };
  const now = () => turn.now;
  const app = await createTestApp(db);
  await app.register(placeRecordRoutes({ db, now, newId }));
  await app.register(
    tenancyRecordRoutes({
      ...{ db, now, newId },
      usagePointsOf: () => Promise.resolve([]),
      step(name) {
        if (name === turn.failAt) throw new Error(`ended at ${name}`);
      },
    }),
  );
  const officer = await loggedIn(owner, account, ['leasing_officer']);

  const call = async (method: string, url: string, body?: object, headers: object = {}) => {
    const reply = await app.inject({
      ...{ method: method as 'GET', url, headers: { ...officer, ...headers } },
      ...(body && { payload: body }),
    });
    return {
      status: reply.statusCode,
      etag: reply.headers.etag,
      body: reply.body === '' ? null : reply.json(),
    };
  };
  const named = (key: string) => ({ key, name: { en: key, zh: key } });
  const drain = async () => {
    const handlers = tenancyJobs({ now, newId });
    const done = { 'lease.moved_in': () => Promise.resolve(), 'lease.moved_out': () => Promise.resolve() };
    while (
      await doNextJob({ db: worker, now, log: pino({ enabled: false }), handlers: { ...handlers, ...done } })
    );
  };
  const stateOf = async (space: string): Promise<string> =>
    (await call('GET', `/api/spaces/${spaces.get(space)}`)).body.state;
  const auditOf = async (subject: string) => {
    const { rows } = await sql<{ action: string; content: object }>`
      select action, content from audit_event where subject_id = ${subject} order by id`.execute(owner);
    return rows;
  };
  return { owner, account, tenants, buildings, floors, spaces, turn, call, named, drain, stateOf, auditOf };
}

import { sql } from 'kysely';
import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { createDb, type Db, withAccount, withActor } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase, inLanes } from '../platform/testing.ts';
import { holdsHead, runAuditHeads } from './audit-heads.ts';
import { audit, auditTrail, verifyAudit } from './audit.ts';
import { givenAccount, givenPerson } from './testing.ts';

const { owner, app, ingest, pool } = await clonedDatabase();
const AT = new Date('2026-11-01T08:00:00Z');

let accountId: string;
let ada: string;
beforeEach(async () => {
  accountId = await givenAccount(owner);
  ada = (await givenPerson(owner, { accountId, login: `ada-${newId()}` })).id;
});

const deed = (action: string, more: object = {}) =>
  withAccount(app, accountId, (trx) =>
    audit(trx, { accountId, at: AT, personId: ada, action, ip: '203.0.113.7', ...more }),
  );
const verdict = () => withAccount(owner, accountId, (trx) => verifyAudit(trx, accountId));
const page = (more: object = {}) =>
  withAccount(app, accountId, (trx) => auditTrail.page(trx, { limit: 100, ...more }));
const spoil = (text: string) => owner.executeQuery(sql.raw(text).compile(owner));

test('an entry says who did what to what and when, and how it was before and after', async () => {
  const subjectId = newId();
  await deed('space.changed', { subjectId, before: { areaM2: 10 }, after: { areaM2: 12 } });
  await deed('session.opened');
  expect(await page()).toEqual([
    expect.objectContaining({ seq: 2, action: 'session.opened', subjectId: null }),
    {
      ...{ seq: 1, at: AT, personId: ada, action: 'space.changed', subjectId },
      ...{ result: 'done', reason: null, subjectName: null },
      personName: expect.stringContaining('Name of ada') as string,
      content: { ip: '203.0.113.7', before: { areaM2: 10 }, after: { areaM2: 12 } },
    },
  ]);
  expect((await page({ action: 'space' })).map(({ seq }) => seq)).toEqual([1]);
  expect((await page({ subject: subjectId })).map(({ seq }) => seq)).toEqual([1]);
  expect((await page({ before: 2 })).map(({ seq }) => seq)).toEqual([1]);
  expect(await page({ person: newId() })).toEqual([]);
});

test('an entry says that a deed was refused and why, and whom it was about', async () => {
  await deed('person.changed', { subjectId: ada });
  await deed('request.refused', { result: 'refused', reason: 'forbidden', subjectId: newId() });
  const claim = () => deed('gateway.claim_refused', { details: { why: 'expired' } }); // As it was noted before.
  await claim();
  expect((await page()).map(({ seq, result, reason }) => [seq, result, reason])).toEqual([
    [3, 'refused', null],
    [2, 'refused', 'forbidden'],
    [1, 'done', null],
  ]);
  expect((await page({ result: 'refused' })).map(({ seq }) => seq)).toEqual([3, 2]);
  expect((await page({ result: 'done' })).map(({ seq, subjectName }) => [seq, subjectName])).toEqual([
    [1, expect.stringContaining('Name of ada')],
  ]);
  expect(await verdict()).toMatchObject({ entries: 3, brokenAt: null });
});

test('a deed that was done has the hash that it had before there were results', async () => {
  await deed('thing.done', { subjectId: newId() });
  await deed('thing.tried', { result: 'refused', reason: 'forbidden' });
  const { rows } = await pool().query<{ same: boolean }>(
    `select hash = sha256(prev_hash || convert_to(jsonb_build_array(account_id, seq,
       (extract(epoch from at) * 1000000)::bigint, person_id, action, subject_id, encode(content_hash, 'hex'))::text, 'UTF8'))
       as same from audit_event where account_id = $1 order by seq`,
    [accountId],
  );
  expect(rows.map(({ same }) => same)).toEqual([true, false]);
});

test('who is bound to a tenant or to some buildings reads nothing of it', async () => {
  await deed('thing.done');
  const ask = (bounds: { tenantId: string | null; buildings: readonly string[] | null }) =>
    withActor(app, { accountId, ...bounds }, (trx) => auditTrail.page(trx, { limit: 10 }));
  expect(await ask({ tenantId: null, buildings: null })).toHaveLength(1);
  expect(await ask({ tenantId: newId(), buildings: null })).toEqual([]);
  expect(await ask({ tenantId: null, buildings: [newId()] })).toEqual([]);
  expect(await ask({ tenantId: null, buildings: [] })).toEqual([]);
});

test('what is rolled back leaves neither an entry nor a hole', async () => {
  await deed('thing.done');
  const failing = withAccount(app, accountId, async (trx) => {
    await audit(trx, { accountId, at: AT, personId: ada, action: 'thing.undone' });
    await sql`select 1 / 0`.execute(trx);
  });
  await expect(failing).rejects.toThrow('division by zero');
  await deed('thing.done');
  expect((await page()).map(({ seq, action }) => [seq, action])).toEqual([
    [2, 'thing.done'],
    [1, 'thing.done'],
  ]);
});

test('a hundred deeds at once are one chain', async () => {
  await inLanes(100, 8, (i) => deed(`thing.${i}`));
  expect(await verdict()).toMatchObject({ entries: 100, brokenAt: null });
});

test('the services add and can neither read, change nor take back, nor write the place in the chain', async () => {
  for (const role of [app, ingest])
    for (const text of [
      'select * from audit_event',
      `update audit_event set action = 'x'`,
      'delete from audit_event',
      'update audit_head set seq = 0',
      `insert into audit_event (account_id, at, action, seq, hash) values ('${accountId}', now(), 'x', 7, '')`,
      `select audit_cut(now(), now())`,
    ])
      await expect(withAccount(role, accountId, (trx) => sql.raw(text).execute(trx))).rejects.toThrow(
        'permission denied',
      );
});

describe('verification', () => {
  const where = () => `where account_id = '${accountId}'`;

  async function restored(work: () => Promise<void>): Promise<void> {
    await spoil(`create table kept as select * from audit_event ${where()}`);
    await work();
    await spoil(`alter table audit_event disable trigger user`);
    await spoil(`delete from audit_event ${where()}`);
    await spoil(`insert into audit_event overriding system value select * from kept`);
    await spoil(`alter table audit_event enable trigger user`);
    await spoil('drop table kept');
    expect((await verdict()).brokenAt).toBeNull();
  }

  test.each([
    ['a changed act', (at: string) => `update audit_event set action = 'x' ${at} and seq = 3`, 3],
    ['a changed person', (at: string) => `update audit_event set person_id = null ${at} and seq = 3`, 3],
    ['a changed content', (at: string) => `update audit_event set content = '{}' ${at} and seq = 3`, 3],
    [
      'a deed made a refusal',
      (at: string) => `update audit_event set result = 'refused' ${at} and seq = 3`,
      3,
    ],
    [
      'a refusal made a deed',
      (at: string) => `update audit_event set result = 'done', reason = null ${at} and seq = 2`,
      2,
    ],
    ['another reason', (at: string) => `update audit_event set reason = 'x' ${at} and seq = 2`, 2],
    ['a missing entry', (at: string) => `delete from audit_event ${at} and seq = 3`, 4],
    ['a missing beginning', (at: string) => `delete from audit_event ${at} and seq < 3`, 3],
    ['a cut-off end', (at: string) => `delete from audit_event ${at} and seq > 3`, 4],
  ])('finds %s', async (_what, change, brokenAt) => {
    for (const i of [1, 2, 3, 4, 5])
      await deed(`thing.${i}`, {
        details: { i },
        ...(i === 2 && { result: 'refused', reason: 'forbidden' }),
      });
    const whole = await verdict();
    expect(whole).toMatchObject({
      entries: 5,
      brokenAt: null,
      head: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    await restored(async () => {
      await spoil(change(where()));
      expect((await verdict()).brokenAt).toBe(brokenAt);
    });
  });

  test('holds when a person was forgotten: who and when stay, the personal is gone', async () => {
    const eve = (await givenPerson(owner, { accountId, login: `eve-${newId()}` })).id;
    await deed('person.changed', { subjectId: eve, before: { name: 'Eve' }, after: { name: 'Eva' } });
    await deed('thing.done', { personId: eve });
    await deed('thing.done');
    const kept = await withAccount(app, accountId, (trx) => auditTrail.ofPerson(trx, eve));
    expect(kept.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await withAccount(app, accountId, (trx) => auditTrail.forget(trx, eve))).toBe(2);
    expect(await verdict()).toMatchObject({ entries: 3, erased: 2, brokenAt: null });
    const { rows } = await pool().query<{ all: string }>(
      `select string_agg(e::text, ' ') as all from audit_event e ${where()}`,
    );
    expect(rows[0]!.all).not.toMatch(/Eve|Eva/);
    expect((await page()).map(({ content }) => content === null)).toEqual([false, true, true]);
  });

  describe('of a person', () => {
    const site = async () => {
      const [siteId, a, b] = [newId(), newId(), newId()];
      const name = { en: 'x', zh: 'x' };
      await withAccount(owner, accountId, async (trx) => {
        const place = { accountId, name };
        await trx
          .insertInto('site')
          .values({ ...place, id: siteId, key: `s-${siteId}`, timezone: 'Asia/Shanghai', currency: 'CNY' })
          .execute();
        for (const id of [a, b])
          await trx
            .insertInto('building')
            .values({ ...place, id, siteId, key: `b-${id}`, ord: 1 })
            .execute();
      });
      return { siteId, a, b };
    };
    interface Bounds {
      readonly buildings?: readonly string[];
      readonly tenantId?: string;
    }
    const as = <T>({ buildings, tenantId }: Bounds, work: (trx: Db) => Promise<T>) =>
      withActor(app, { accountId, tenantId: tenantId ?? null, buildings: buildings ?? null }, work);

    test('is for staff who acts wherever that person has rights', async () => {
      const { siteId, a, b } = await site();
      const inA = await givenPerson(owner, { accountId, roles: ['guard'], place: { buildingId: a } });
      const onSite = await givenPerson(owner, { accountId, roles: ['guard'], place: { siteId } });
      const boss = await givenPerson(owner, { accountId, roles: ['account_admin'] });
      for (const { id } of [inA, onSite, boss])
        await deed('person.changed', { subjectId: id, after: { x: 1 } });
      const sees = (bounds: Bounds) =>
        Promise.all(
          [inA, onSite, boss].map(({ id }) =>
            as(bounds, async (trx) => (await auditTrail.ofPerson(trx, id)).length > 0),
          ),
        );
      expect(await sees({})).toEqual([true, true, true]);
      expect(await sees({ buildings: [a] })).toEqual([true, false, false]);
      expect(await sees({ buildings: [a, b] })).toEqual([true, true, false]);
      expect(await sees({ buildings: [] })).toEqual([false, false, false]);
      expect(await sees({ tenantId: newId() })).toEqual([false, false, false]);
      const forget = (id: string, buildings: string[]) =>
        as({ buildings }, (trx) => auditTrail.forget(trx, id));
      await expect(forget(onSite.id, [a])).rejects.toThrow('people of the account only');
      expect(await forget(onSite.id, [a, b])).toBe(1);
    });

    test('is of the account: nothing else is forgotten by its id, and nobody elsewhere', async () => {
      const stranger = await givenPerson(owner, { accountId: await givenAccount(owner) });
      const thing = newId();
      await deed('thing.changed', { subjectId: thing, after: { x: 1 } });
      for (const id of [stranger.id, thing, newId()])
        await expect(as({}, (trx) => auditTrail.forget(trx, id))).rejects.toThrow(
          'people of the account only',
        );
      expect(await verdict()).toMatchObject({ erased: 0, brokenAt: null });
    });
  });

  test('finds a chain that its owner wrote anew, by a head that the log of an earlier day holds', async () => {
    for (const i of [1, 2, 3]) await deed(`thing.${i}`);
    const stop = new AbortController();
    const said: { accountId?: string; head: string }[] = [];
    const log = pino({}, { write: (line: string) => void said.push(JSON.parse(line) as never) });
    const wait = async () => stop.abort();
    await runAuditHeads({ db: createDb(pool('parkline_worker')), wait, log }, stop.signal);
    const head = said.find((one) => one.accountId === accountId)?.head ?? '';
    expect(head).toMatch(/^3:[0-9a-f]{64}$/);
    const holds = () => withAccount(owner, accountId, (trx) => holdsHead(trx, accountId, head));
    await deed('thing.4');
    expect(await holds()).toBe(true);
    await spoil(`delete from audit_event ${where()}`);
    await spoil(`delete from audit_head ${where()}`);
    for (const i of [1, 2, 5]) await deed(`thing.${i}`);
    expect((await verdict()).brokenAt).toBeNull(); // The chain itself is whole.
    expect(await holds()).toBe(false);
  });

  test('holds when the oldest entries were dropped after their time, and never the last six months', async () => {
    for (const [i, at] of ['2023-01-01', '2023-06-01', '2026-06-01', '2026-11-01'].entries())
      await deed(`thing.${i}`, { at: new Date(at) });
    const now = new Date('2026-11-02T00:00:00Z');
    const worker = createDb(pool('parkline_worker'));
    expect(await auditTrail.cut(worker, new Date('2023-11-02'), now)).toBe(2);
    expect(await auditTrail.cut(worker, new Date('2023-11-02'), now)).toBe(0);
    expect(await verdict()).toMatchObject({ entries: 2, brokenAt: null });
    expect(await auditTrail.cut(worker, now, now)).toBe(0); // The third is five months old.
    await deed('thing.after');
    expect((await page()).map(({ seq }) => seq)).toEqual([5, 4, 3]);
    await spoil(`delete from audit_event ${where()} and seq = 3`);
    expect((await verdict()).brokenAt).toBe(4);
  });
});

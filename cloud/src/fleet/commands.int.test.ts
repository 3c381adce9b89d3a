import { generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { Command, type GatewayEvent, SignedText, type WriteLimits } from '@parkline/contract';
import pino from 'pino';
import { Value } from 'typebox/value';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { saveCommandResults } from './command-results.ts';
import { commandRoutes } from './command-routes.ts';
import { endOverdue, sendQueued } from './command-sender.ts';
import { givenFleet, mixedPark } from './testing.ts';

const { app: db, owner, ingest, pool } = await clonedDatabase();
const [ours, theirs] = [await givenAccount(owner), await givenAccount(owner)];
await givenFleet(owner, ours, mixedPark);
await givenFleet(owner, theirs, mixedPark);

const keys = generateKeyPairSync('ed25519');
let now = new Date('2026-11-22T10:00:00Z');
const later = (ms: number) => (now = new Date(now.getTime() + ms));
const app = await createTestApp(db);
await app.register(commandRoutes({ db, now: () => now, newId }));

const limits: WriteLimits = { min: 12, max: 22, perMinute: 6, priority: 16, holdS: 600, safety: false };
const setpoint = await writable('m-ahu', 'supply_air_temperature_setpoint', limits);
const gate = await writable('m-gate', undefined, { ...limits, min: 0, max: 1, release: 0, safety: true });
const ada = await loggedIn(owner, ours, ['facility_engineer']);
const bo = await loggedIn(owner, ours, ['supervisor']);

const sent: { subject: string; command: Command }[] = [];
const nats = {
  publish(subject: string, payload?: unknown) {
    const { body, sig } = Value.Parse(SignedText, JSON.parse(String(payload)));
    expect(verify(null, Buffer.from(body), keys.publicKey, Buffer.from(sig, 'base64url'))).toBe(true);
    sent.push({ subject, command: Value.Parse(Command, JSON.parse(body)) });
  },
};
const sender = {
  ...{ db: ingest, nats, signingKey: keys.privateKey, now: () => now },
  log: pino({ enabled: false }),
};

beforeEach(async () => {
  sent.length = 0;
  later(3_600_000);
  await endOverdue(sender);
  await hear();
});

/** A point of our park that may be written within `write`. */
async function writable(equipment: string, key: string | undefined, write: WriteLimits) {
  const { rows } = await pool().query<{ id: string; gateway: string; equipment: string }>(
    `update point p set write = $4 from equipment e where e.id = p.equipment_id and p.account_id = $1 and e.key = $2
       and p.id = (select id from point where equipment_id = e.id and key = coalesce($3, key) order by num limit 1)
     returning p.id, e.gateway_id as gateway, e.id as equipment`,
    [ours, equipment, key ?? null, JSON.stringify(write)],
  );
  return rows[0]!;
}

/** Our gateways are there. */
async function hear(): Promise<void> {
  await pool().query(
    `insert into gateway_status (gateway_id, account_id, heard_at) select id, account_id, $1 from gateway
     on conflict (gateway_id) do update set heard_at = $1`,
    [now],
  );
}

async function call(url: string, headers: { cookie: string }, payload?: object) {
  const method = url.startsWith('GET ') ? 'GET' : 'POST';
  const reply = await app.inject({
    method,
    url: url.replace('GET ', ''),
    headers,
    ...(payload && { payload }),
  });
  return { status: reply.statusCode, body: reply.json() };
}
const wish = { value: 18.5, reason: 'too warm upstairs' };
const ask = (point: string, body: object = wish, who = ada) =>
  call(`/api/points/${point}/commands`, who, body);
const stateOf = async (id: string): Promise<string> =>
  (await call(`GET /api/commands/${id}`, ada)).body.state;

/** What the gateway says became of a command, as ingest takes it. */
async function tell(
  command: { id: string; pointId: string },
  over: Partial<GatewayEvent>,
  gateway = setpoint.gateway,
) {
  const event = {
    ...{
      type: 'command',
      id: randomUUID(),
      at: now.getTime(),
      commandId: command.id,
      pointId: command.pointId,
    },
    ...{ outcome: 'done', before: 20, after: 18.5, why: '' },
    ...over,
  } as GatewayEvent;
  const client = await pool('parkline_ingest').connect();
  try {
    await client.query('begin');
    await saveCommandResults(client, gateway, [event]);
    await client.query('commit');
  } finally {
    client.release();
  }
}

const auditOf = async (
  id: string,
): Promise<{ action: string; person: string | null; ip: string | null; details: unknown }[]> =>
  (
    await pool().query(
      `select substr(e.action, 9) as action, p.name as person, e.content->>'ip' as ip, e.content->'details' as details
       from audit_event e left join person p on p.id = e.person_id where e.subject_id = $1 order by e.seq`,
      [id],
    )
  ).rows;

describe('an order to write', () => {
  test('is signed, sent once to its gateway, and shown with what became of it', async () => {
    const { status, body } = await ask(setpoint.id);
    expect([status, body.state, body.holdS, body.approver]).toEqual([201, 'queued', 600, null]);
    expect(await sendQueued(sender)).toBe(1);
    expect(await sendQueued(sender)).toBe(0);
    expect(sent).toMatchObject([
      {
        subject: `cmd.${setpoint.gateway}.do`,
        command: {
          ...{ id: body.id, gatewayId: setpoint.gateway, pointId: setpoint.id, value: 18.5, holdS: 600 },
          ...{ reason: wish.reason, actor: body.actor, approver: null },
          ...{ issuedAt: now.getTime(), expiresAt: now.getTime() + 60_000 },
        },
      },
    ]);
    later(500);
    await tell(body, {});
    const done = (await call(`GET /api/commands/${body.id}`, ada)).body;
    expect(done).toMatchObject({ state: 'done', before: 20, after: 18.5, why: null });
    expect(Date.parse(done.heldUntil)).toBe(now.getTime() + 600_000);
    await tell(body, { outcome: 'released', after: 20 } as Partial<GatewayEvent>);
    expect((await call(`GET /api/commands/${body.id}`, ada)).body).toMatchObject({
      ...{ state: 'released', before: 20, after: 18.5, heldUntil: null },
    });
    expect((await auditOf(body.id)).map(({ action, person, ip }) => [action, person, ip])).toEqual([
      ['requested', body.actor.name, '127.0.0.1'],
      ['sent', null, null],
      ['result.done', null, null],
      ['result.released', null, null],
    ]);
  });

  test('is refused before anything is sent, with the field to blame', async () => {
    const other = await ask(setpoint.id, { ...wish, value: 22.1 });
    expect([other.status, other.body.details]).toEqual([
      400,
      [{ field: 'body.value', code: 'range', message: '22.1 is outside what may be written, 12 to 22 °C' }],
    ]);
    expect((await ask(setpoint.id, { value: 18 })).body.details).toMatchObject([{ field: 'body.reason' }]);
    expect((await ask(setpoint.id, { ...wish, holdS: 601 })).body.details).toMatchObject([
      { field: 'body.holdS' },
    ]);
    expect(await sendQueued(sender)).toBe(0);
  });

  test('of a point that nobody declared writable is refused, and of another account it does not exist', async () => {
    const { rows } = await pool().query<{ id: string }>(
      'select id from point where account_id = $1 and write is null limit 1',
      [ours],
    );
    const refused = await ask(rows[0]!.id);
    expect([refused.status, refused.body.details]).toEqual([409, { why: 'read-only' }]);
    const stranger = await loggedIn(owner, theirs, ['facility_engineer']);
    expect((await ask(setpoint.id, wish, stranger)).status).toBe(404);
  });

  test('is forbidden to who may only look', async () => {
    const technician = await loggedIn(owner, ours, ['technician']);
    for (const who of [bo, technician]) expect((await ask(setpoint.id, wish, who)).status).toBe(403);
  });

  test('a result from another gateway, or about another point, changes nothing', async () => {
    const { body } = await ask(setpoint.id);
    await sendQueued(sender);
    await tell(body, {}, randomUUID());
    await tell({ id: body.id, pointId: gate.id }, {});
    expect(await stateOf(body.id)).toBe('sent');
    expect((await auditOf(body.id)).map(({ action }) => action)).toEqual(['requested', 'sent']);
  });

  test('two results of one command count once, and giving back may be heard first', async () => {
    const { body } = await ask(setpoint.id);
    await sendQueued(sender);
    await tell(body, { outcome: 'released', before: 18.5, after: 20 } as Partial<GatewayEvent>);
    await tell(body, {});
    await tell(body, { outcome: 'failed', why: 'a lie' } as Partial<GatewayEvent>);
    const { body: now } = await call(`GET /api/commands/${body.id}`, ada);
    expect(now).toMatchObject({ state: 'released', before: 20, after: 18.5, heldUntil: null });
  });

  test('a newer one on the point ends the hold of the older', async () => {
    const { body: first } = await ask(setpoint.id);
    later(1);
    const { body: second } = await ask(setpoint.id, { ...wish, value: 19 });
    await sendQueued(sender);
    await tell(first, {});
    await tell(second, { after: 19 } as Partial<GatewayEvent>);
    expect((await call(`GET /api/commands/${first.id}`, ada)).body).toMatchObject({
      state: 'done',
      heldUntil: null,
    });
    expect((await call(`GET /api/commands/${second.id}`, ada)).body.heldUntil).not.toBeNull();
  });
});

describe('an order that its time overtakes', () => {
  test('is never sent to a gateway that is away, and says so', async () => {
    later(40_000);
    const { body } = await ask(setpoint.id);
    expect(await sendQueued(sender)).toBe(0);
    later(60_000);
    expect(await endOverdue(sender)).toBe(1);
    await hear();
    expect(await sendQueued(sender)).toBe(0);
    const { body: over } = await call(`GET /api/commands/${body.id}`, ada);
    expect([over.state, over.why]).toEqual(['expired', 'not_sent: the gateway could not be reached in time']);
    expect((await auditOf(body.id)).map(({ action }) => action)).toEqual(['requested', 'expired']);
  });

  test('says when no answer came, and shows one that comes later', async () => {
    const { body } = await ask(setpoint.id);
    await sendQueued(sender);
    later(69_999);
    expect(await endOverdue(sender)).toBe(0);
    later(1);
    expect(await endOverdue(sender)).toBe(1);
    expect((await call(`GET /api/commands/${body.id}`, ada)).body.why).toMatch(/^no_answer: /);
    await tell(body, {});
    expect((await call(`GET /api/commands/${body.id}`, ada)).body).toMatchObject({
      state: 'done',
      why: null,
    });
  });

  test('that its gateway refuses is one in the audit, with the code of the reason', async () => {
    const { body } = await ask(setpoint.id);
    await sendQueued(sender);
    await tell(body, { outcome: 'refused', before: null, after: null, why: 'range: 99 is above 30' });
    const { rows } = await pool().query(
      'select action, result, reason from audit_event where subject_id = $1 order by seq',
      [body.id],
    );
    expect(rows).toEqual([
      { action: 'command.requested', result: 'done', reason: null },
      { action: 'command.sent', result: 'done', reason: null },
      { action: 'command.result.refused', result: 'refused', reason: 'range' },
    ]);
  });

  test('two signers send each command once', async () => {
    for (let i = 0; i < 8; i += 1) await ask(setpoint.id);
    const counts = await Promise.all([sendQueued(sender), sendQueued(sender), sendQueued(sender)]);
    expect(counts.reduce((a, b) => a + b)).toBe(8);
    expect(new Set(sent.map(({ command }) => command.id)).size).toBe(8);
  });
});

describe('a gate', () => {
  const open = { value: 1, reason: 'fire drill' };

  test('opens only when a second person wants it', async () => {
    const { body } = await ask(gate.id, open);
    expect([body.state, body.safety]).toEqual(['awaiting_approval', true]);
    expect(await sendQueued(sender)).toBe(0);
    const own = await call(`/api/commands/${body.id}/approve`, ada);
    expect([own.status, own.body.details]).toEqual([403, { why: 'same_person' }]);
    const approved = await call(`/api/commands/${body.id}/approve`, bo);
    expect([approved.status, approved.body.state]).toEqual([200, 'queued']);
    expect((await call(`/api/commands/${body.id}/approve`, bo)).status).toBe(409);
    await sendQueued(sender);
    expect(sent[0]?.command.approver).toEqual(approved.body.approver);
    expect(approved.body.approver.id).not.toBe(body.actor.id);
    expect((await auditOf(body.id)).map(({ action }) => action)).toEqual(['requested', 'approved', 'sent']);
  });

  test('stays shut when the second person says no, or nobody says anything', async () => {
    const { body: no } = await ask(gate.id, open);
    expect((await call(`/api/commands/${no.id}/reject`, bo)).body.state).toBe('rejected');
    const { body: silence } = await ask(gate.id, open);
    later(30 * 60_000);
    await hear();
    await endOverdue(sender);
    expect((await call(`GET /api/commands/${silence.id}`, bo)).body).toMatchObject({
      ...{ state: 'expired', why: 'not_approved: nobody approved it in time' },
    });
    expect((await call(`/api/commands/${silence.id}/approve`, bo)).status).toBe(409);
    expect(await sendQueued(sender)).toBe(0);
  });

  test('not even the database takes an order that one person alone wanted', async () => {
    const { body } = await ask(gate.id, open);
    const force = withAccount(db, ours, (trx) =>
      trx.updateTable('command').set({ state: 'queued' }).where('id', '=', body.id).execute(),
    );
    await expect(force).rejects.toThrow('command_check');
    const alone = withAccount(db, ours, (trx) =>
      trx
        .updateTable('command')
        .set({ state: 'queued', approverId: body.actor.id, approverName: 'Ada' })
        .where('id', '=', body.id)
        .execute(),
    );
    await expect(alone).rejects.toThrow('violates check constraint');
  });
});

test('it can be taken back until it is sent', async () => {
  const { body } = await ask(setpoint.id);
  expect((await call(`/api/commands/${body.id}/cancel`, ada)).body.state).toBe('cancelled');
  const { body: gone } = await ask(setpoint.id);
  await sendQueued(sender);
  expect((await call(`/api/commands/${gone.id}/cancel`, ada)).status).toBe(409);
});

test('the list comes newest first, page by page, of one point or one state', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    later(2);
    ids.unshift((await ask(setpoint.id)).body.id);
  }
  const page = (await call(`GET /api/commands?limit=2&point=${setpoint.id}`, ada)).body;
  expect(page.items.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
  const rest = (await call(`GET /api/commands?limit=1&state=queued&after=${page.next}`, ada)).body;
  expect(rest.items.map(({ id }: { id: string }) => id)).toEqual([ids[2]]);
  const foreign = await loggedIn(owner, theirs, ['facility_engineer']);
  expect((await call('GET /api/commands', foreign)).body).toEqual({ items: [], next: null });
});

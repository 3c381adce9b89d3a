import type { IdentityProvider } from '@parkline/contract';
import { describe, expect, test } from 'vitest';
import { startIdentityProvider } from '../../../tests/support/oidc.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { givenAccount, loggedIn } from './testing.ts';
import { createOidcPark, redirectUri, refusalOf, refused } from './testing-oidc.ts';

const database = await clonedDatabase();
const { owner, pool } = database;
const {
  boss,
  world,
  idp,
  accountId,
  call,
  givenProvider,
  providerId,
  known,
  atProvider,
  comeBack,
  logIn,
  meOf,
} = await createOidcPark(database);

describe('a person who is logged in', () => {
  test('links the own login, which works without any address from then on, and unlinks it', async () => {
    const me = await loggedIn(owner, accountId, ['guard']);
    const who = (await call('GET', '/api/me', undefined, me)).json();
    const started = await call('POST', '/api/me/login-links', { providerId }, me);
    expect(started.statusCode, started.body).toBe(200);
    const { name, value } = started.cookies[0]!;
    idp.behaviour = { claims: { sub: `linked-${who.id}` } };
    const trip = { toProvider: new URL(started.json().url), cookie: `${name}=${value}` };
    const back = await comeBack(await atProvider(trip), trip.cookie);
    expect(refusalOf(back)).toEqual(['/me', false]);
    expect(await meOf(await logIn())).toMatchObject({ id: who.id });

    const thief = await loggedIn(owner, accountId, ['guard']);
    const again = await call('POST', '/api/me/login-links', { providerId }, thief);
    const stolen = {
      toProvider: new URL(again.json().url),
      cookie: `parkline_oidc=${again.cookies[0]!.value}`,
    };
    expect(refusalOf(await comeBack(await atProvider(stolen), stolen.cookie))).toEqual(
      refused('linked_elsewhere'),
    );

    const unlink = () => call('DELETE', `/api/me/login-links/${providerId}`, undefined, me);
    const hash = (passwordHash: string | null) =>
      owner.updateTable('person').set({ passwordHash }).where('id', '=', who.id).execute();
    const { passwordHash: before } = await owner
      .selectFrom('person')
      .select('passwordHash')
      .where('id', '=', who.id)
      .executeTakeFirstOrThrow();
    await hash(null);
    expect((await unlink()).json()).toMatchObject({ code: 'conflict', details: { why: 'last_way_in' } });
    await hash(before);
    expect((await unlink()).statusCode).toBe(204);
    expect(refusalOf(await logIn())).toEqual(refused('unknown_person'));
    const { rows: deeds } = await pool().query(
      `select action from audit_event where subject_id = $1 and action like 'person.%linked' order by id`,
      [who.id],
    );
    expect(deeds).toEqual([{ action: 'person.linked' }, { action: 'person.unlinked' }]);
  });

  test('keeps the last of two links that are undone at the same moment, where there is no password', async () => {
    const me = await loggedIn(owner, accountId, ['guard']);
    const personId: string = (await call('GET', '/api/me', undefined, me)).json().id;
    const third = await startIdentityProvider(redirectUri);
    const both = [providerId, await givenProvider(third)];
    await third.stop();
    await owner.updateTable('person').set({ passwordHash: null }).where('id', '=', personId).execute();
    for (let round = 0; round < 5; round += 1) {
      for (const one of both)
        await owner
          .insertInto('personIdentity')
          .values({ accountId, providerId: one, subject: personId, personId, linkedAt: new Date() })
          .onConflict((c) => c.doNothing())
          .execute();
      const undone = await Promise.all(
        both.map((one) => call('DELETE', `/api/me/login-links/${one}`, undefined, me)),
      );
      expect(undone.map(({ statusCode }) => statusCode).toSorted()).toEqual([204, 409]);
    }
  });

  test('links and unlinks with a fresh second factor only', async () => {
    const me = await loggedIn(owner, accountId, ['guard']);
    const old = new Date(Date.now() - 11 * 60_000);
    const { id } = (await call('GET', '/api/me', undefined, me)).json();
    await owner.updateTable('session').set({ factorAt: old }).where('personId', '=', id).execute();
    await owner
      .insertInto('passkey')
      .values({
        ...{ id: newId(), accountId, personId: id, name: 'Key', createdAt: old, transports: [], counter: 0 },
        ...{ credentialId: Buffer.from(newId()), publicKey: Buffer.from('x') },
      })
      .execute();
    const begun = await call('POST', '/api/me/login-links', { providerId }, me);
    const ended = await call('DELETE', `/api/me/login-links/${providerId}`, undefined, me);
    expect([begun, ended].map((reply) => reply.json().code)).toEqual(Array(2).fill('second_factor_needed'));
  });

  test('links no provider of another account', async () => {
    const stranger = await loggedIn(owner, await givenAccount(owner), ['guard']);
    const reply = await call('POST', '/api/me/login-links', { providerId }, stranger);
    expect([reply.statusCode, reply.cookies]).toEqual([404, []]);
    expect((await call('GET', '/api/me/login-links', undefined, stranger)).json().items).toEqual([]);
  });
});

describe('a provider', () => {
  const silent = 'does not answer as an identity provider at a public address';

  test.each(['token_endpoint', 'jwks_uri'] as const)(
    'that says its %s is on a machine nobody named is not asked there',
    async (what) => {
      const third = await startIdentityProvider(redirectUri);
      const path = what === 'jwks_uri' ? '/jwks' : '/token';
      const { claims } = await known();
      const endpoints = { [what]: third.issuer.replace('127.0.0.1', 'localhost') + path };
      third.behaviour = { claims, endpoints };
      const id = await givenProvider(third);
      expect(refusalOf(await logIn(id))).toEqual(refused('provider'));
      third.behaviour = { claims };
      world.aheadMs = 3_601_000; // What it says of itself is read again.
      expect(refusalOf(await logIn(id))).toEqual(['/', true]);
      await third.stop();
    },
  );

  test.each([
    ['http on another machine', 'http://idp.example.org', 'must begin with https://'],
    ['one that is none', 'http://127.0.0.1:9', silent],
    ['the machine that tells a server its keys', 'https://169.254.169.254', silent],
    ['of the network of the server', 'https://10.0.0.7', silent],
    ['of this machine by another name', 'https://localhost', silent],
  ])('is not kept when it is %s', async (_what, issuer, message) => {
    const reply = await call('POST', '/api/identity-providers', { name: 'X', issuer, clientId: 'x' });
    expect([reply.statusCode, reply.json().details]).toEqual([400, [{ field: 'body.issuer', message }]]);
  });

  test('that moves to another issuer takes neither the secret nor the people along', async () => {
    const elsewhere = await startIdentityProvider(redirectUri);
    const id = await givenProvider(elsewhere);
    const { id: personId, claims } = await known();
    elsewhere.behaviour = { claims };
    expect(await meOf(await logIn(id))).toMatchObject({ id: personId });
    const all = (await call('GET', '/api/identity-providers')).json<{ items: IdentityProvider[] }>().items;
    expect(all.find((one) => one.id === id)?.people).toBe(1);
    const third = await startIdentityProvider(redirectUri);
    const match = { ...boss, 'if-match': '"1"' };
    const moved = await call('PATCH', `/api/identity-providers/${id}`, { issuer: third.issuer }, match);
    expect([moved.statusCode, moved.json()]).toMatchObject([200, { hasClientSecret: false, people: 0 }]);
    third.behaviour = { claims: { sub: claims.sub } };
    expect(refusalOf(await logIn(id))).toEqual(refused('provider')); // Without its own secret it lets nobody in.
    expect(
      await owner.selectFrom('personIdentity').select('subject').where('providerId', '=', id).execute(),
    ).toEqual([]);
    const stale = await call('DELETE', `/api/identity-providers/${id}`, undefined, match);
    expect(stale.statusCode).toBe(409);
    const gone = await call('DELETE', `/api/identity-providers/${id}`, undefined, {
      ...boss,
      'if-match': '"2"',
    });
    expect(gone.statusCode).toBe(204);
    await Promise.all([elsewhere.stop(), third.stop()]);
  });
});

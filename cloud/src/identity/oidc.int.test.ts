import { describe, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { givenAccount, givenPerson } from './testing.ts';
import { cookiesOf, createOidcPark, redirectUri, refusalOf, refused } from './testing-oidc.ts';

const database = await clonedDatabase();
const { owner } = database;
const {
  boss,
  app,
  world,
  idp,
  other,
  call,
  givenProvider,
  providerId,
  known,
  begin,
  atProvider,
  comeBack,
  logIn,
  meOf,
} = await createOidcPark(database);

describe('a login through a provider', () => {
  test('asks with state, nonce, PKCE and the one redirect address, and keeps the secret sealed', async () => {
    const { toProvider } = await begin();
    const { searchParams: asked } = toProvider;
    expect(asked.get('redirect_uri')).toBe(redirectUri);
    expect(asked.get('code_challenge_method')).toBe('S256');
    for (const key of ['state', 'nonce', 'code_challenge'])
      expect(asked.get(key)!.length).toBeGreaterThan(40);
    const { sealedClientSecret } = await owner
      .selectFrom('identityProvider')
      .select('sealedClientSecret')
      .where('id', '=', providerId)
      .executeTakeFirstOrThrow();
    expect(sealedClientSecret).toMatch(/^sealed:v1:/);
    expect((await call('GET', '/api/identity-providers')).body).not.toContain(idp.clientSecret);
  });

  test('lets in who is known by the verified address, back to where the person was, and knows the subject from then on', async () => {
    const { id, email, claims } = await known();
    const first = await logIn(providerId, '/guard?x=1');
    expect([first.statusCode, first.headers.location]).toEqual([302, '/guard?x=1']);
    expect(await meOf(first)).toMatchObject({ id, login: email });
    idp.behaviour = { claims: { sub: claims.sub } };
    expect(await meOf(await logIn())).toMatchObject({ id });
  });

  // A browser leaves tabs out of an address.
  test.each([['//evil.example/'], ['https://evil.example/'], ['/\\evil.example'], ['/\t/evil.example']])(
    'goes back to no other site: %j',
    async (back) => {
      await known();
      expect((await logIn(providerId, back)).headers.location).toBe('/');
    },
  );

  test('makes nobody by itself; with a role for new people it makes them with that role', async () => {
    const email = `${newId()}@example.org`;
    idp.behaviour = { claims: { sub: newId(), email, email_verified: true, name: '王芳' } };
    expect(refusalOf(await logIn())).toEqual(refused('unknown_person'));
    const open = await givenProvider(other, { defaultRole: 'guard' });
    other.behaviour = { ...idp.behaviour };
    expect(await meOf(await logIn(open))).toMatchObject({ login: email, name: '王芳', roles: ['guard'] });
  });

  test('counts as second factor only where the provider says so and the account believes it', async () => {
    const { claims } = await known({ roles: ['account_admin'] });
    const stage = async () => {
      const reply = await logIn();
      const list = await app.inject({
        url: '/api/identity-providers',
        headers: { cookie: cookiesOf(reply) },
      });
      return list.statusCode;
    };
    const versionOf = async () => (await call('GET', '/api/identity-providers')).json().items[0].version;
    const trust = async (trustSecondFactor: boolean) =>
      call(
        'PATCH',
        `/api/identity-providers/${providerId}`,
        { trustSecondFactor },
        { ...boss, 'if-match': `"${await versionOf()}"` },
      );
    idp.behaviour = { claims: { ...claims, amr: ['pwd', 'mfa'] } };
    expect(await stage()).toBe(403);
    expect((await trust(true)).statusCode).toBe(200);
    expect(await stage()).toBe(200);
    idp.behaviour = { claims: { ...claims, amr: ['pwd'] } };
    expect(await stage()).toBe(403);
    await trust(false);
  });
});

describe('refused without a session is', () => {
  test('an answer to no question, to the question of another browser, and one that took too long', async () => {
    await known();
    const trip = await begin();
    const answer = await atProvider(trip);
    expect(refusalOf(await comeBack(answer))).toEqual(refused('flow'));
    expect(refusalOf(await comeBack(answer, trip.cookie))).toEqual(refused('flow')); // Spent by the first try.
    const [mine, theirs] = [await begin(), await begin()];
    expect(refusalOf(await comeBack(await atProvider(mine), theirs.cookie))).toEqual(refused('flow'));
    const invented = new URL(`${redirectUri}?code=x&state=invented&iss=${idp.issuer}`);
    expect(refusalOf(await comeBack(invented, theirs.cookie))).toEqual(refused('flow'));
    const slow = await begin();
    const late = await atProvider(slow);
    world.aheadMs = 601_000;
    expect(refusalOf(await comeBack(late, slow.cookie))).toEqual(refused('flow'));
  });

  test('an answer that is played again', async () => {
    await known();
    const trip = await begin();
    const answer = await atProvider(trip);
    expect((await comeBack(answer, trip.cookie)).headers.location).toBe('/');
    expect(refusalOf(await comeBack(answer, trip.cookie))).toEqual(refused('flow'));
  });

  test('a code that was spent, or was made for another login or another client', async () => {
    await known();
    const [first, second] = [await begin(), await begin()];
    const [spent, answer] = [await atProvider(first), await atProvider(second)];
    await comeBack(spent, first.cookie);
    const swapped = (code: string, to: URL) => {
      const url = new URL(to);
      url.searchParams.set('code', code);
      return url;
    };
    expect(
      refusalOf(await comeBack(swapped(spent.searchParams.get('code')!, answer), second.cookie)),
    ).toEqual(refused('provider'));
    const [victim, thief] = [await begin(), await begin()];
    const [theirs, mine] = [await atProvider(victim), await atProvider(thief)];
    expect(refusalOf(await comeBack(swapped(theirs.searchParams.get('code')!, mine), thief.cookie))).toEqual(
      refused('provider'),
    );
    const third = await begin();
    const own = await atProvider(third);
    const elsewhere = new URL(third.toProvider);
    elsewhere.searchParams.set('client_id', 'another-client');
    const foreign = await atProvider({ ...third, toProvider: elsewhere });
    expect(refusalOf(await comeBack(swapped(foreign.searchParams.get('code')!, own), third.cookie))).toEqual(
      refused('provider'),
    );
    expect(idp.refusals).toEqual(['code', 'verifier', 'code of another client']);
  });

  test('an answer that came by way of another provider (mix-up)', async () => {
    const { claims } = await known();
    idp.behaviour = { claims, answersAs: other.issuer };
    expect(refusalOf(await logIn())).toEqual(refused('provider'));
  });

  test('a redirect to another address: the provider is asked with ours and none of the request', async () => {
    const trip = await begin();
    const bent = new URL(trip.toProvider);
    bent.searchParams.set('redirect_uri', 'https://evil.example/api/login/oidc/callback');
    expect((await fetch(bent, { redirect: 'manual' })).status).toBe(400);
  });

  test.each([
    ['another nonce', { lies: { nonce: 'another' } }],
    ['another audience', { lies: { aud: 'another-client' } }],
    ['another issuer', { lies: { iss: 'https://evil.example' } }],
    ['a time that is over', { lies: { exp: 1_000, iat: 900 } }],
    ['no signature (alg none)', { signature: 'none' }],
    ['the signature of another key', { signature: 'foreign' }],
  ] as const)('a token with %s', async (_what, wrong) => {
    const { claims } = await known();
    idp.behaviour = { claims, ...wrong };
    expect(refusalOf(await logIn())).toEqual(refused('provider'));
    expect(
      await owner.selectFrom('personIdentity').select('subject').where('subject', '=', claims.sub).execute(),
    ).toEqual([]);
  });

  test.each([
    ['not verified', { email_verified: false }],
    ['verified only in a text', { email_verified: 'true' }],
    ['verified by silence', { email_verified: undefined }],
  ])('an address that is %s', async (_what, over) => {
    const { claims } = await known();
    idp.behaviour = { claims: { ...claims, ...over } };
    expect(refusalOf(await logIn())).toEqual(refused('unknown_person'));
  });

  test('somebody who is disabled, or of another account', async () => {
    const { id } = await known();
    await owner.updateTable('person').set({ disabledAt: new Date() }).where('id', '=', id).execute();
    expect(refusalOf(await logIn())).toEqual(refused('disabled'));
    const elsewhere = await givenPerson(owner, {
      accountId: await givenAccount(owner),
      login: `${newId()}@example.org`,
    });
    idp.behaviour = { claims: { sub: newId(), email: elsewhere.login, email_verified: true } };
    expect(refusalOf(await logIn())).toEqual(refused('unknown_person'));
  });
});

import { roles } from '@parkline/contract';
import { access } from '../../cloud/src/access/all.ts';
import { callRoute } from '../../cloud/src/access/call.ts';
import type { FullAccount } from '../../cloud/src/testing.ts';
import { type Attack, inOneWord } from './attempts.ts';

export interface Doors {
  readonly url: string;
  readonly ours: FullAccount;
  readonly theirs: FullAccount;
}

const words: Readonly<Record<number, string>> = { 401: 'not logged in', 403: 'forbidden', 404: 'not found' };
const wordOf = (status: number): string => words[status] ?? String(status);
const closed = Object.entries(access).filter(([, { who }]) => who !== 'anyone');

/** Every route as a stranger, as every role that may not, and about every kind of object of another account. */
export function doorAttacks({ url, ours, theirs }: Doors): Attack[] {
  return closed.flatMap(([route, { who }]): Attack[] => {
    const may = Array.isArray(who) ? who : roles;
    const others = roles.filter((role) => !may.includes(role));
    const as = (role: (typeof roles)[number], account: FullAccount) =>
      callRoute(url, route, account.ids, ours.as[role]).then(({ status }) => [role, wordOf(status)] as const);
    const stranger: Attack = {
      attack: `${route} as a stranger`,
      expected: 'not logged in',
      run: async () => wordOf((await callRoute(url, route, ours.ids, {})).status),
    };
    const role: Attack = {
      attack: `${route} as ${others.length} roles without the right`,
      expected: 'forbidden',
      run: async () => inOneWord(await inTurn(others, (one) => as(one, ours)), 'forbidden'),
    };
    const foreign: Attack = {
      attack: `${route} about another account, as ${may.length} roles`,
      expected: 'not found',
      run: async () => inOneWord(await inTurn(may, (one) => as(one, theirs)), 'not found'),
    };
    return [stranger, ...(others.length > 0 ? [role] : []), ...(/:(id|\w+Id)/.test(route) ? [foreign] : [])];
  });
}

async function inTurn<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (const one of all) done.push(await work(one));
  return done;
}

const unsafe = closed.map(([route]) => route).filter((route) => !route.startsWith('GET '));

/** What another site's page could make a browser send: it has the cookie, and neither our origin nor the token. */
export function forgeryAttacks({ url, ours, theirs }: Doors): Attack[] {
  const { cookie } = ours.as.account_admin;
  const token = theirs.as.account_admin['x-csrf-token'];
  const everywhere = (attack: string, headers: Readonly<Record<string, string>>): Attack => ({
    attack: `${attack}, on ${unsafe.length} routes`,
    expected: 'forbidden',
    run: async () =>
      inOneWord(
        await inTurn(unsafe, async (route) => {
          const { status } = await callRoute(url, route, ours.ids, { cookie, ...headers });
          return [route, wordOf(status)] as const;
        }),
        'forbidden',
      ),
  });
  const own = ours.as.account_admin['x-csrf-token'];
  return [
    everywhere('no token', {}),
    everywhere('an empty token', { 'x-csrf-token': '' }),
    everywhere("another session's token", { 'x-csrf-token': token }),
    everywhere('the right token from a page of another site', {
      'x-csrf-token': own,
      origin: 'https://evil.example',
    }),
    everywhere('the right token from a page without an origin', { 'x-csrf-token': own, origin: 'null' }),
    everywhere('no token, from our own origin', { origin: url }),
  ];
}

import { afterAll, expect, test } from 'vitest';
import { access } from '../../cloud/src/access/all.ts';
import { callRoute } from '../../cloud/src/access/call.ts';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { serveApi } from '../../cloud/src/testing-api.ts';
import { givenFullAccount } from '../../cloud/src/testing.ts';
import { type Attack, tryAll } from './attempts.ts';

const database = await clonedDatabase();
const owner = database.pool();
const ours = await givenFullAccount(owner);
await givenFullAccount(owner);
const { app, url } = await serveApi(database);
afterAll(() => app.close());

interface Parameter {
  readonly name: string;
  readonly in: string;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}
const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

/** Texts that mean something to a database, a shell, a template, a file system, a header or a prototype. */
const corpus = [
  `' or '1'='1`,
  `'; drop table person; --`,
  `1) union select login, password_hash from person --`,
  `\\'; select pg_sleep(5); --`,
  `$$; copy person to program 'id'; $$`,
  `a' || (select string_agg(password_hash, ',') from person) || '`,
  '%00',
  '\u0000',
  '{"$gt": ""}',
  '__proto__',
  'constructor[prototype][polluted]',
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '; cat /etc/passwd',
  '$(cat /etc/passwd)',
  '{{7*7}}${7*7}<%= 7*7 %>',
  'x\r\nset-cookie: parkline_session=planted',
  '=cmd|calc!A1',
  '*)(uid=*))(|(uid=*',
  '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
];

const { account_admin: admin } = ours.as;
const asAdmin = { ...admin };

/** What shows that a text was carried out or told too much. @returns undefined when nothing does. */
async function trace(reply: Response): Promise<string | undefined> {
  const text = await reply.text();
  if (reply.status >= 500 && reply.status !== 503) return `${reply.status} ${text.slice(0, 80)}`;
  if (/argon2id\$|root:.:0:0|syntax error at|pg_catalog|node_modules/.test(text))
    return `it told ${text.slice(0, 80)}`;
  if ((reply.headers.get('set-cookie') ?? '').includes('planted')) return 'a header was planted';
  return undefined;
}

interface Target {
  readonly name: string;
  readonly send: (text: string) => Promise<Response>;
}

const filled = (path: string): string =>
  path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const base = Object.keys(ours.ids).find((key) => path.startsWith(`${key}/`));
    return ours.ids[`:${name}`] ?? (base ? (ours.ids[base] ?? '') : '');
  });

/** Streams never end, and routes that end the attacker's own session would end the test. */
const left = /\/api\/(live|changes|logout|me\/sessions|me\/password)/;

const targets: Target[] = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).flatMap(([method, operation]): Target[] => {
    if (left.test(path)) return [];
    const route = `${method.toUpperCase()} ${path}`;
    const send = (place: string, body?: object): Promise<Response> =>
      fetch(url + place, {
        method: method.toUpperCase(),
        headers: { ...asAdmin, ...(body && { 'content-type': 'application/json' }), 'if-match': '"999"' },
        ...(body && { body: JSON.stringify(body) }),
      });
    const fields = Object.entries(
      operation.requestBody?.content['application/json']?.schema.properties ?? {},
    );
    const usual = access[route.replace(/\{(\w+)\}/g, ':$1')]?.body ?? {};
    return [
      ...(operation.parameters ?? []).flatMap((parameter): Target[] => {
        if (parameter.in === 'path')
          return [
            {
              name: `${route} ${parameter.name}`,
              send: (text) => send(path.replace(/\{\w+\}/g, encodeURIComponent(text))),
            },
          ];
        if (parameter.in !== 'query') return [];
        return [
          {
            name: `${route} ?${parameter.name}`,
            send: (text) => send(`${filled(path)}?${parameter.name}=${encodeURIComponent(text)}`),
          },
        ];
      }),
      ...fields.map(([field]) => ({
        name: `${route} .${field}`,
        send: (text: string) => send(filled(path), { ...usual, [field]: text }),
      })),
    ];
  }),
);

const counts = async (): Promise<string> => {
  const { rows } = await owner.query<{ text: string }>(
    `select (select count(*) from person) || ' people, ' || (select count(*) from account) || ' accounts, '
       || (select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r') || ' tables' as text`,
  );
  return rows[0]!.text;
};

const attacks: Attack[] = corpus.map((text) => ({
  attack: `${JSON.stringify(text)} in ${targets.length} fields`,
  expected: 'a text like any other',
  run: async () => {
    const traces: string[] = [];
    for (const { name, send } of targets) {
      const found = await trace(await send(text));
      if (found) traces.push(`${name}: ${found}`);
    }
    return traces.length === 0 ? 'a text like any other' : traces.join('; ');
  },
}));

test('a text is a text wherever it is sent', async (context) => {
  const before = await counts();
  expect(targets.length).toBeGreaterThan(50);
  const got = await tryAll(context, 'injection', attacks);
  expect(got).toEqual([]);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect((await counts()).split(', ').slice(1)).toEqual(before.split(', ').slice(1));
  // The attacker's own session still stands: what was tried was tried as somebody.
  expect((await callRoute(url, 'GET /api/me', ours.ids, asAdmin)).status).toBe(200);
}, 600_000);

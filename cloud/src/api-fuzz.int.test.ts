// The description against the server: what it answers is what is said, and no input makes it fall over.
import type { Role } from '@parkline/contract';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { afterAll, expect, test } from 'vitest';
import { access } from './access/all.ts';
import { callRoute } from './access/call.ts';
import { inLanes, clonedDatabase } from './platform/testing.ts';
import { serveApi } from './testing-api.ts';
import { givenFullAccount } from './testing.ts';

interface Reply {
  readonly content?: Readonly<Record<string, { readonly schema?: TSchema }>>;
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: TSchema }>> };
  readonly responses: Readonly<Record<string, Reply>>;
}

const database = await clonedDatabase();
const ours = await givenFullAccount(database.pool());
const theirs = await givenFullAccount(database.pool());
const { app, routes, url } = await serveApi(database);
afterAll(() => app.close());

const { paths } = app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> };
const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}');
const operationOf = (route: string): Operation | undefined => {
  const [method = '', path = ''] = route.split(' ');
  return paths[templateOf(path)]?.[method.toLowerCase()];
};
const isJson = (type: unknown): boolean => String(type).startsWith('application/json');
const streams = (operation: Operation | undefined): boolean =>
  'text/event-stream' in (operation?.responses['200']?.content ?? {});

/** Headers of somebody who may call the route. */
function whoMay(route: string): Readonly<Record<string, string>> {
  const { who } = access[route]!;
  if (typeof who === 'string') return { ...ours.as.account_admin };
  return { ...ours.as[(who.includes('account_admin') ? 'account_admin' : who[0]) as Role] };
}

/** Sentences of a refusal without a Chinese word in them. A `why` without blanks is a code, for programs. */
function notInChinese(part: unknown, name = ''): string[] {
  if (typeof part === 'object' && part !== null)
    return Object.entries(part).flatMap(([key, inner]) => notInChinese(inner, key));
  const isSentence = name === 'message' || (name === 'why' && !/^[\w-]+$/.test(String(part)));
  return isSentence && !/\p{Script=Han}/u.test(String(part)) ? [`${name}: ${String(part)}`] : [];
}

test('every route that is registered is described, and nothing else is', () => {
  const described = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.keys(byMethod).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = routes.map((route) => templateOf(route));
  expect(described.filter((one) => one.includes(' /api/')).toSorted()).toEqual(served.toSorted());
});

/** What a reply says that its schema does not, or the other way round. */
function mismatch(operation: Operation, status: number, type: unknown, text: string): string | undefined {
  const said = operation.responses[status];
  if (!said) return `answers ${status}, which is not described`;
  const schema = said.content?.['application/json']?.schema;
  if (!schema || !isJson(type)) return undefined;
  const check = Compile(inlined(schema));
  const value: unknown = JSON.parse(text);
  return check.Check(value) ? undefined : JSON.stringify(check.Errors(value).slice(0, 3));
}

/** The one schema that replies refer to by name. */
const { components } = app.swagger() as unknown as { components: { schemas: Record<string, TSchema> } };
const inlined = (schema: TSchema): TSchema =>
  '$ref' in schema ? components.schemas[String(schema.$ref).split('/').at(-1)!]! : schema;

test('what every GET answers about an account with something of everything is what its schema says', async () => {
  const reads = routes.filter((route) => route.startsWith('GET ') && !streams(operationOf(route)));
  expect(reads.length).toBeGreaterThan(30);
  const wrong = await inLanes(reads.length, 4, async (i) => {
    const route = reads[i]!;
    const { status, text } = await callRoute(url, route, ours.ids, whoMay(route));
    const type = text.startsWith('{') || text.startsWith('[') ? 'application/json' : 'other';
    const why = status === 200 ? mismatch(operationOf(route)!, status, type, text) : undefined;
    return why && `${route}: ${why}`;
  });
  expect(wrong.filter(Boolean)).toEqual([]);
});

/** Would end the session that the test comes with, or everybody's. */
const ending = /logout|\/api\/me\/sessions|\/api\/login|\/api\/setup|password|erase/;

/** Objects of a schema that say which keys they take, and take others, too: their places. */
function open(part: unknown, place: string): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const isOpen =
    'properties' in part && (part as { additionalProperties?: unknown }).additionalProperties !== false;
  return [
    ...(isOpen ? [place] : []),
    ...Object.entries(part).flatMap(([key, inner]) => open(inner, `${place}/${key}`)),
  ];
}

test('no body of any route takes a key that its description does not name, at any depth', () => {
  const bodies = routes.flatMap((route) =>
    Object.values(operationOf(route)?.requestBody?.content ?? {}).map(({ schema }) => ({ route, schema })),
  );
  expect(bodies.filter(({ schema }) => schema).length).toBeGreaterThan(50);
  expect(bodies.flatMap(({ route, schema }) => open(schema, route))).toEqual([]);
});

test('what is wrong by its meaning, and not by its shape, is said in the language of the reader, too', async () => {
  const judged = routes.filter((route) => access[route]?.body && !ending.test(route));
  const replies = await inLanes(judged.length, 4, async (i) => {
    const route = judged[i]!;
    const headers = { ...whoMay(route), 'accept-language': 'zh-CN' };
    const { status, text } = await callRoute(url, route, ours.ids, headers);
    return { route, status, text };
  });
  const refused = replies.filter(({ status }) => status >= 400);
  const fields = refused.filter(({ text }) => Array.isArray(JSON.parse(text).details));
  expect(fields.length).toBeGreaterThan(10);
  expect(
    refused.flatMap(({ route, text }) => notInChinese(JSON.parse(text)).map((one) => `${route} ${one}`)),
  ).toEqual([]);
});

const hostile: readonly unknown[] = [
  '',
  "' or 1=1; drop table person; --",
  '{"$gt":""}',
  'a\r\nSet-Cookie: x=1',
  '../../../etc/passwd',
  'x'.repeat(20_000),
  '\u202e\ud83d\ude00 漢字 \u0000',
  '\ud800',
  '__proto__',
  -1,
  1e308,
  1.5,
  2 ** 53,
  true,
  null,
  [],
  [[[]]],
  {},
  { toString: 'x', constructor: { prototype: 1 } },
];

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A generator that is the same in every run. */
function chooser(seed: number) {
  let state = seed;
  return <T>(from: readonly T[]): T => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return from[Math.floor((state / 2 ** 32) * from.length)]!;
  };
}

/** A body of the right shape with a few wrong values in it, or something else entirely. */
function badBody(schema: TSchema | undefined, choose: ReturnType<typeof chooser>): unknown {
  const properties = (schema as { properties?: Record<string, unknown> } | undefined)?.properties;
  if (!properties || choose([1, 2, 3, 4]) === 1) return choose(hostile);
  return Object.fromEntries(Object.keys(properties).map((name) => [name, choose(hostile)]));
}

const TURNS = 5;

test('no input to any route is answered by an error of ours, and each refusal has the one shape, in the language of the reader', async () => {
  const targets = routes.filter((route) => !streams(operationOf(route)) && !ending.test(route));
  const found = await inLanes(targets.length * TURNS, 4, async (i) => {
    const route = targets[i % targets.length]!;
    const choose = chooser(i + 1);
    const operation = operationOf(route)!;
    const [method = '', path = ''] = route.split(' ');
    const foreign = Object.values(theirs.ids);
    const text = () => encodeURIComponent(asText(choose(hostile)).toWellFormed());
    const place = path.replace(/:\w+/g, () => (choose([true, false]) ? choose(foreign) : text() || 'x'));
    const query = (operation.parameters ?? [])
      .filter((one) => one.in === 'query' && choose([true, false]))
      .map(({ name }) => `${name}=${text()}`);
    const content = operation.requestBody?.content ?? {};
    const [type = 'application/json'] = Object.keys(content);
    const hasBody = operation.requestBody !== undefined || choose([true, false, false]);
    const body = isJson(type)
      ? JSON.stringify(badBody(content[type]?.schema, choose))
      : asText(choose(hostile));
    const reply = await app.inject({
      method: method as 'GET',
      url: `${place}?${query.join('&')}`,
      headers: {
        ...whoMay(route),
        'accept-language': 'zh-CN',
        'if-match': choose(['"1"', '*', "'", '"99999999999999999999"']),
        'idempotency-key': choose([`k${i}`, 'same', ' ']),
        ...(method !== 'GET' && hasBody && { 'content-type': type }),
      },
      ...(method !== 'GET' && hasBody && { payload: body }),
    });
    const { statusCode: status, headers } = reply;
    if (status < 400) return undefined;
    const isRefusal = isJson(headers['content-type']) && typeof reply.json().code === 'string';
    // 503 `unavailable` is a refusal: there is no broker here, and no key for some secrets.
    const unsaid = isRefusal ? notInChinese(reply.json()) : [];
    if ((status < 500 || status === 503) && isRefusal && !('set-cookie' in headers) && unsaid.length === 0)
      return undefined;
    return `${method} ${place.slice(0, 120)}?${query.join('&').slice(0, 100)} ${body.slice(0, 200)} -> ${status} ${reply.body.slice(0, 200)}`;
  });
  expect(found.filter(Boolean)).toEqual([]);
}, 120_000);

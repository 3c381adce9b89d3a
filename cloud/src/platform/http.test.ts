import pino from 'pino';
import Type from 'typebox';
import { afterAll, describe, expect, test } from 'vitest';
import type { Person } from './access.ts';
import { AppError } from './errors.ts';
import { createApp } from './http.ts';

const actor: Person = {
  personId: 'p1',
  accountId: 'a1',
  tenantId: null,
  sessionId: 's1',
  by: 'session',
  secondFactor: null,
  roles: [],
  permissions: new Map([['thing.read', null]]),
};
const deps = {
  log: pino({ enabled: false }),
  /** Somebody of a tenant says so. */
  authenticate: async ({
    headers: { 'x-me': me, 'x-tenant': tenant },
  }: {
    headers: Record<string, unknown>;
  }) => (me ? { ...actor, tenantId: typeof tenant === 'string' ? tenant : null } : undefined),
  permissions: new Set(['thing.read', 'thing.write']),
};
const app = await createApp({ ...deps, ratePerS: 50, ready: { database: async () => undefined } });
app.get('/api/things', {
  config: { permission: 'thing.read' },
  schema: { querystring: Type.Object({ limit: Type.Integer({ default: 5, minimum: 1 }) }) },
  handler: async ({ query }) => query,
});
app.post('/api/things', {
  config: { permission: 'thing.read' },
  schema: {
    body: Type.Object({
      count: Type.Integer(),
      tag: Type.Optional(Type.String({ maxLength: 20 })),
      name: Type.Optional(Type.Object({ en: Type.String({ minLength: 1 }), zh: Type.String() })),
      size: Type.Optional(Type.Union([Type.Object({ w: Type.Integer() }), Type.Null()])),
      parts: Type.Optional(Type.Array(Type.Object({ id: Type.Integer() }))),
      rooms: Type.Optional(Type.Record(Type.String(), Type.Object({ m2: Type.Integer() }))),
      loose: Type.Optional(Type.Object({ a: Type.Integer() }, { additionalProperties: true })),
    }),
  },
  handler: async ({ body }) => body,
});
app.get('/api/things/:id', {
  config: { permission: 'thing.read' },
  schema: { params: Type.Object({ id: Type.String() }) },
  handler: async ({ params }) => params,
});
app.put('/api/things', { config: { permission: 'thing.read' } }, async () => 'changed');
app.delete('/api/things', { config: { permission: 'thing.write' } }, async () => 'gone');
app.get('/api/broken', { config: { permission: 'public' } }, async () => {
  throw new Error('secret of the house');
});
app.get('/api/slow', { config: { permission: 'public' } }, async () => {
  throw new AppError('too_many_requests', 'wait', { retryAfterS: 7 });
});
const why = { en: 'The door is shut.', zh: '门已关闭。' };
app.get('/api/shut', { config: { permission: 'public' } }, async () => {
  throw new AppError('conflict', 'shut', { details: { why, current: { name: why } } });
});
await app.ready();
afterAll(() => app.close());

describe('behind a proxy', () => {
  test('an address is the one that the proxy saw, whatever the sender says it is', async () => {
    const behind = await createApp({ ...deps, trustProxy: true });
    behind.get('/api/whence', { config: { permission: 'public' } }, ({ ip }) => ({ ip }));
    const reply = await behind.inject({
      url: '/api/whence',
      headers: { 'x-forwarded-for': '10.9.9.9, 198.51.100.7' },
    });
    await behind.close();
    expect(reply.json()).toEqual({ ip: '198.51.100.7' });
  });
});

const me = { 'x-me': '1' };
const get = (url: string, headers: Record<string, string> = me) => app.inject({ url, headers });

describe('access', () => {
  test('a stranger is asked to log in, a person without the permission is refused', async () => {
    expect((await get('/api/things', {})).statusCode).toBe(401);
    const refused = await app.inject({ method: 'DELETE', url: '/api/things', headers: me });
    expect([refused.statusCode, refused.json().code]).toEqual([403, 'forbidden']);
  });

  test.each([
    ['declares no permission', {}, /GET \/api\/open declares no permission/],
    ['asks for one nobody has', { permission: 'thing.raed' }, /"thing.raed", which no role grants/],
  ])('a route that %s ends the start', async (_why, config, message) => {
    const faulty = await createApp(deps);
    faulty.get('/api/open', { config }, async () => 'x');
    await expect(faulty.ready()).rejects.toThrow(message);
  });

  test.each([
    ['https://evil.example', 403],
    ['null', 403],
    ['http://park.example:8080', 200],
    [undefined, 200],
  ])('a change asked from the origin %s is answered %i', async (origin, status) => {
    const headers = { ...me, host: 'park.example:8080', ...(origin && { origin }) };
    const reply = await app.inject({ method: 'POST', url: '/api/things', headers, payload: { count: 1 } });
    expect(reply.statusCode).toBe(status);
  });
});

describe('input', () => {
  test('a query is converted and its defaults are filled in', async () => {
    expect((await get('/api/things?limit=7')).json()).toEqual({ limit: 7 });
    expect((await get('/api/things')).json()).toEqual({ limit: 5 });
  });

  test.each([
    ['/api/things?limit=0', 'limit'],
    ['/api/things?limit=x', 'limit'],
    ['/api/things?limit=1.5', 'limit'],
    ['/api/things?limit=true', 'limit'],
    ['/api/things/%00', 'id'],
    ['/api/things?limt=5', 'limt'],
    ['/api/things?limit=1&limit=2', 'limit'],
    ['/api/broken?x=1', 'x'],
  ])('%s is refused, naming %s', async (url, field) => {
    const reply = await get(url);
    expect(reply.statusCode).toBe(400);
    expect(reply.json().details).toMatchObject([{ field }]);
  });

  test.each([
    ['a text for a number', { count: '1' }, 'body.count'],
    ['a missing field', {}, 'body.count'],
    ['an unknown field', { count: 1, admin: true }, 'body.admin'],
    ['an unknown field in an object or null', { count: 1, size: { w: 1, h: 2 } }, 'body.size.h'],
    ['an unknown field in a list', { count: 1, parts: [{ id: 1 }, { id: 2, to: 3 }] }, 'body.parts.1.to'],
    [
      'an unknown field below a name of its own',
      { count: 1, rooms: { a: { m2: 1, x: 2 } } },
      'body.rooms.a.x',
    ],
    ['no object', [], 'body'],
    ['a NUL in a text', { count: 1, tag: 'a\0' }, 'body.tag'],
  ])('a body with %s is refused by name', async (_what, payload, field) => {
    const reply = await app.inject({ method: 'POST', url: '/api/things', headers: me, payload });
    expect([reply.statusCode, reply.json().details]).toEqual([400, [expect.objectContaining({ field })]]);
  });

  test('a body may hold what its schema leaves open', async () => {
    const payload = {
      count: 1,
      size: null,
      parts: [{ id: 1 }],
      rooms: { any: { m2: 3 } },
      loose: { a: 1, b: 2 },
    };
    const reply = await app.inject({ method: 'POST', url: '/api/things', headers: me, payload });
    expect([reply.statusCode, reply.json()]).toEqual([200, payload]);
  });

  const bothLanguages = 'must be a text in both languages: {"en": "…", "zh": "…"}';
  test.each([
    [{ count: '1' }, 'body.count', 'must be integer', '须为整数'],
    [
      { count: 1, tag: 'a'.repeat(21) },
      'body.tag',
      'must not have more than 20 characters',
      '至多 20 个字符',
    ],
    [{ count: 1, admin: true }, 'body.admin', 'is not known here', '不是可用的字段'],
    [{ count: 1, size: { w: 1, h: 2 } }, 'body.size.h', 'is not known here', '不是可用的字段'],
    [{ count: 1, size: 'x' }, 'body.size', 'must be object', '须为对象'],
    [{}, 'body.count', 'is required', '为必填项'],
    [{ count: 1, name: { en: 'a', 'zh-CN': '一' } }, 'body.name', bothLanguages, /两种语言/],
    [{ count: 1, name: 'a' }, 'body.name', bothLanguages, /两种语言/],
    [{ count: 1, name: { en: '', zh: '一' } }, 'body.name.en', /1 character/, '至少 1 个字符'],
  ])('what is wrong with %j is said in the language of the reader', async (payload, field, en, zh) => {
    const words = async (language: string) => {
      const headers = { ...me, 'accept-language': language };
      return (await app.inject({ method: 'POST', url: '/api/things', headers, payload })).json().details;
    };
    expect(await words('en')).toEqual([{ field, message: expect.stringMatching(en) }]);
    expect(await words('zh-CN')).toEqual([{ field, message: expect.stringMatching(zh) }]);
  });

  test('a change without the version that it was made on is refused before it begins', async () => {
    const change = (headers: object) =>
      app.inject({ method: 'PUT', url: '/api/things', headers: { ...me, ...headers } });
    expect((await change({})).json().code).toBe('precondition_required');
    expect((await change({ 'if-match': '"3"' })).body).toBe('changed');
  });

  test('broken JSON and a body of the wrong kind are refused', async () => {
    const send = (type: string) =>
      app.inject({
        method: 'POST',
        url: '/api/things',
        headers: { ...me, 'content-type': type },
        payload: '{',
      });
    expect((await send('application/json')).json().code).toBe('bad_input');
    expect((await send('text/csv')).json().code).toBe('unsupported_media');
  });
});

describe('answers', () => {
  test('our own mistake says nothing about itself, in the language of the reader', async () => {
    const english = await get('/api/broken');
    expect([english.statusCode, english.body.includes('secret')]).toEqual([500, false]);
    const chinese = await get('/api/broken', { 'accept-language': 'fr, zh-CN;q=0.9, en;q=0.8' });
    expect(chinese.json().message).toBe('系统内部出现错误。');
  });

  test('a reason that is a sentence is told in the language of the reader, and what is stored as it is stored', async () => {
    const detailsIn = async (language: string) =>
      (await get('/api/shut', { 'accept-language': language })).json().details;
    expect(await detailsIn('zh')).toEqual({ why: '门已关闭。', current: { name: why } });
    expect(await detailsIn('en')).toEqual({ why: 'The door is shut.', current: { name: why } });
  });

  test('a refusal for haste says when to come back', async () => {
    const reply = await get('/api/slow');
    expect([reply.statusCode, reply.headers['retry-after']]).toEqual([429, '7']);
  });

  test('no answer of the API is kept by the browser, however its address is spelt', async () => {
    expect((await get('/%61pi/things')).headers['cache-control']).toBe('no-store');
  });

  test.each([
    ['/api/things/%', 400, 'bad_input'],
    [`/api/things/${'x'.repeat(300)}`, 404, 'not_found'],
  ])('a path that no route can take (%#) is refused like everything else', async (url, status, code) => {
    const reply = await get(url, { ...me, 'accept-language': 'zh' });
    expect([reply.statusCode, reply.json()]).toEqual([
      status,
      { code, message: expect.stringMatching(/。$/) },
    ]);
  });

  test.each(['/api/things', '/%61pi/things'])('more %s a second than allowed are refused', async (url) => {
    const replies = await Promise.all(Array.from({ length: 60 }, () => get(url)));
    const refused = replies.filter(({ statusCode }) => statusCode === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers['retry-after']).toBe('1');
  });

  test('a tenant in haste holds up neither the staff nor another tenant', async () => {
    const busy = await createApp({ ...deps, ratePerS: 5 });
    busy.get('/api/things', { config: { permission: 'thing.read' } }, async () => 'here');
    const ask = async (tenant?: string) =>
      (await busy.inject({ url: '/api/things', headers: { ...me, ...(tenant && { 'x-tenant': tenant }) } }))
        .statusCode;
    const hasty = await Promise.all(Array.from({ length: 20 }, () => ask('hasty')));
    expect(hasty).toContain(429);
    expect([await ask('calm'), await ask()]).toEqual([200, 200]);
  });

  test('every answer carries the security headers', async () => {
    const { headers } = await get('/healthz');
    expect(headers['content-security-policy']).toMatchInlineSnapshot(
      `"default-src 'self';script-src 'self';style-src 'self';img-src 'self' data: blob:;connect-src 'self';object-src 'none';base-uri 'self';form-action 'self';frame-ancestors 'none'"`,
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
    });
    expect(headers['strict-transport-security']).toBeUndefined();
  });

  test('the description of the API is OpenAPI 3.1 and has a page', async () => {
    const spec = (await get('/openapi.json')).json();
    expect(spec.openapi).toBe('3.1.0');
    expect(Object.keys(spec.paths)).toContain('/api/things');
    expect((await get('/docs/')).statusCode).toBe(200);
  });

  test('the process is alive, ready and measured', async () => {
    expect((await get('/healthz')).json()).toEqual({ ok: true });
    expect((await get('/readyz')).json()).toEqual({ ready: true, checks: { database: 'ok' } });
    expect((await get('/metrics')).statusCode).toBe(200);
  });

  test('a process whose database is away is not ready', async () => {
    const lame = await createApp({ ...deps, ready: { database: () => Promise.reject(new Error('gone')) } });
    const reply = await lame.inject({ url: '/readyz' });
    expect([reply.statusCode, reply.json()]).toEqual([503, { ready: false, checks: { database: 'failed' } }]);
  });
});

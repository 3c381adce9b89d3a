import type { FastifyInstance } from 'fastify';

type Method = 'GET' | 'POST' | 'DELETE';
export type TestBrowser = ReturnType<typeof createTestBrowser>;

/** Calls as a page of ours does: with the cookies it was given last, and the token that goes with them. */
export function createTestBrowser(app: () => FastifyInstance) {
  const jar = new Map<string, string>();
  const call = async (method: Method, url: string, payload?: object) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { cookie, 'x-csrf-token': jar.get('parkline_csrf') ?? '', 'user-agent': 'Test browser' };
    const reply = await app().inject({ method, url, headers, ...(payload && { payload }) });
    for (const { name, value } of reply.cookies) jar.set(name, value);
    return reply;
  };
  return {
    jar,
    get: (url: string) => call('GET', url),
    post: (url: string, payload?: object) => call('POST', url, payload),
    /** What a refusal is called, or 'ok'. */
    outcome: async (method: Method, url: string, payload?: object) => {
      const reply = await call(method, url, payload);
      return reply.statusCode < 300 ? 'ok' : (reply.json() as { code: string }).code;
    },
  };
}

/** A browser without a page: keeps the cookies that it is given, and repeats the token as a page of ours does. */
export interface BrowserSession {
  readonly cookies: Map<string, string>;
  send(
    method: string,
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
  /** Of the answer of /api/me: 200 while somebody is logged in. */
  isIn(): Promise<boolean>;
}

export function createBrowserSession(
  url: string,
  before: ReadonlyMap<string, string> = new Map(),
): BrowserSession {
  const cookies = new Map(before);
  const session: BrowserSession = {
    cookies,
    async send(method, path, body, headers = {}) {
      const csrf = [...cookies].find(([name]) => /csrf/.test(name))?.[1];
      const reply = await fetch(url + path, {
        method,
        headers: {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(csrf && { 'x-csrf-token': csrf }),
          ...(body && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      for (const line of reply.headers.getSetCookie()) {
        const [pair = ''] = line.split(';');
        const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
        if (value === '') cookies.delete(name);
        else cookies.set(name, value);
      }
      return reply;
    },
    isIn: async () => (await session.send('GET', '/api/me')).status === 200,
  };
  return session;
}

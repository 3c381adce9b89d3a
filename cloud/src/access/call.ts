import { access } from './all.ts';

/** What stands for `:name` in a path: by ':name', or for `:id` by the longest beginning of the path. */
export type Ids = Readonly<Record<string, string>>;

const changes = new Set(['PUT', 'PATCH', 'DELETE']);

/** Calls a route of the list as the matrix does. @returns the status and, of what ends by itself, the text; a stream is let go once it began. */
export async function callRoute(
  url: string,
  route: string,
  ids: Ids,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly text: string }> {
  const [method = '', path = ''] = route.split(' ');
  const { query = '', body, raw } = access[route]!;
  const base = Object.keys(ids).find((key) => path.startsWith(`${key}/`)) ?? '';
  const place = path.replace(
    /:(\w+)/g,
    (whole, name: string) => ids[whole] ?? (name === 'id' ? ids[base] : '') ?? '',
  );
  const stop = new AbortController();
  const type = raw ? raw.type : body && 'application/json';
  const reply = await fetch(`${url}${place}?${query}`, {
    method,
    // A version that nothing has: what gets as far as being judged is refused as stale, and stays as it is for the next role.
    headers: {
      ...headers,
      ...(type && { 'content-type': type }),
      ...(changes.has(method) && { 'if-match': '"999"' }),
    },
    ...(raw ? { body: raw.text } : body && { body: JSON.stringify(body) }),
    signal: stop.signal,
  });
  const isStream = reply.headers.get('content-type') === 'text/event-stream';
  const text = isStream ? '' : await reply.text();
  stop.abort();
  return { status: reply.status, text };
}

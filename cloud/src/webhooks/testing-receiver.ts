import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface Heard {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Somebody else's server that takes webhooks: what it heard, and what it answers. */
export async function startReceiver() {
  const heard: Heard[] = [];
  const answer = { status: 200 };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      heard.push({ headers: request.headers, body });
      response.writeHead(answer.status).end(`answer ${answer.status}`);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return { heard, answer, url, stop: () => void server.close() };
}

/** The lines that docs/api.md gives to receivers, as a function. */
export function documentedCheck(): (secret: string, headers: IncomingHttpHeaders, body: string) => boolean {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/api.md'), 'utf8');
  const [, code = ''] = /```js verify\n([\s\S]*?)```/.exec(page) ?? [];
  const lines = code.replace(/^import .*\n/m, '').replace('export function', 'return function');
  const make = new Function('createHmac', 'timingSafeEqual', lines) as (
    ...tools: unknown[]
  ) => ReturnType<typeof documentedCheck>;
  const { createHmac, timingSafeEqual } = process.getBuiltinModule('node:crypto');
  return make(createHmac, timingSafeEqual);
}

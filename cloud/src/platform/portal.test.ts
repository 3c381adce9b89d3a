import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pino from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { createApp } from './http.ts';

const script = '\n  { start("page"); }\n';
const page = `<!doctype html><script src="/early.js"></script><body><script>${script}</script></body>`;
const dir = await mkdtemp(join(tmpdir(), 'parkline-portal-'));
await mkdir(join(dir, '_app/immutable'), { recursive: true });
await writeFile(join(dir, '200.html'), page);
await writeFile(join(dir, 'favicon.svg'), '<svg/>');
await writeFile(join(dir, '_app/immutable/x.abc.js'), 'export {};');
await writeFile(join(dir, '_app/immutable/x.abc.js.gz'), gzipSync('export {};'));

const deps = {
  log: pino({ enabled: false }),
  authenticate: async () => undefined,
  permissions: new Set<string>(),
};
const app = await createApp({ ...deps, portalDir: dir });
await app.ready();
afterAll(async () => {
  await app.close();
  await rm(dir, { recursive: true });
});
const get = (url: string, headers: Record<string, string> = { accept: 'text/html,*/*' }) =>
  app.inject({ url, headers });

describe('the portal', () => {
  test.each(['/', '/engineer/devices/7?range=day', '/login'])('%s is the start page', async (url) => {
    const reply = await get(url);
    expect([reply.statusCode, reply.body, reply.headers['cache-control']]).toEqual([200, page, 'no-cache']);
    expect(reply.headers['content-type']).toContain('text/html');
  });

  test('exactly its own inline script may run', async () => {
    const hash = createHash('sha256').update(script).digest('base64');
    const policy = String((await get('/')).headers['content-security-policy']);
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect(policy).not.toContain('unsafe');
  });

  test('files named by their content are kept for ever, and come compressed', async () => {
    const reply = await get('/_app/immutable/x.abc.js', { 'accept-encoding': 'gzip' });
    expect(reply.headers).toMatchObject({
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': expect.stringContaining('javascript'),
    });
    expect((await get('/_app/immutable/x.abc.js', {})).body).toBe('export {};');
    expect((await get('/favicon.svg')).headers['cache-control']).toBe('no-cache');
  });

  test.each([
    ['/_app/immutable/gone.js', 'text/html'],
    ['/picture.png', 'image/png'],
    ['/api/nothing', 'text/html'],
    ['/../package.json', 'application/json'],
    ['/%2e%2e/package.json', 'application/json'],
  ])('%s asked for as %s is not found', async (url, accept) => {
    const reply = await get(url, { accept });
    expect([reply.statusCode, reply.json().code]).toEqual([404, 'not_found']);
  });

  test('what lies outside of its folder is not found', async () => {
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    const status = new Promise((resolve) => {
      // Sent as it stands: fetch would tidy the path first.
      request({ port, path: '/../package.json' }, ({ statusCode }) => resolve(statusCode)).end();
    });
    expect(await status).toBe(404);
  });

  test('a page is only shown, never sent to', async () => {
    const reply = await app.inject({ method: 'POST', url: '/login', headers: { accept: 'text/html' } });
    expect(reply.statusCode).toBe(404);
  });
});

test('without a build there is only the API', async () => {
  const bare = await createApp({ ...deps, portalDir: join(dir, 'no-such-folder') });
  const reply = await bare.inject({ url: '/', headers: { accept: 'text/html' } });
  expect(reply.statusCode).toBe(404);
});

import { expect, test } from 'vitest';
import { renderAccounts, renderServer, type ServerConfig } from './render.ts';

const tls = { certFile: '/c', keyFile: '/k', caFile: '/a' };
const config: ServerConfig = {
  serverName: 'parkline',
  listen: '127.0.0.1:4222',
  httpPort: 8222,
  storeDir: '/var/lib/a "quoted" place',
  jwtDir: '/jwt',
  pidFile: '/run/nats.pid',
  maxFileStore: 1000,
  trust: { operatorJwt: 'a.b.c', sys: 'ASYS', accounts: { ASYS: 'd.e.f', ACORE: 'g.h.i' } },
};
const cluster = { name: 'hub', listen: '0.0.0.0:6222', peers: ['a:6222', 'b:6222'], password: 'secret', tls };
const withoutComments = (text: string): string => text.replace(/^\s*#.*$/gm, '');

test('every name of the templates is filled in, paths quoted', async () => {
  const text = withoutComments(await renderServer({ ...config, tls, cluster }));
  expect(text).not.toMatch(/\{\{/);
  expect(text).toContain(String.raw`store_dir: "/var/lib/a \"quoted\" place"`);
  expect(text).toContain('  ACORE: g.h.i\n');
});

test('each message is synced to disk and API requests stay strictly parsed', async () => {
  const text = withoutComments(await renderServer(config));
  expect(text).toContain('sync_interval: always');
  expect(text).not.toContain('strict');
  expect(text).toContain('http: "127.0.0.1:8222"');
});

test('TLS comes before the first word and asks for a certificate; routes too, with a password', async () => {
  const text = await renderServer({ ...config, tls, cluster });
  expect(text.match(/verify: true/g)).toHaveLength(2);
  expect(text.match(/min_version: "1\.3"/g)).toHaveLength(2);
  expect(text.match(/handshake_first: true/g)).toHaveLength(1);
  expect(text).toContain('"nats-route://route:secret@a:6222"');
});

test.each(['a b', 'x.y', 'a.b.c\n}'])('a word %o that would change the file is refused', async (word) => {
  await expect(renderServer({ ...config, trust: { ...config.trust, operatorJwt: word } })).rejects.toThrow(
    RangeError,
  );
});

test('a gateway in the accounts of another server may publish and subscribe under its own id only', async () => {
  const text = await renderAccounts('UCORE', [{ id: '0198-a', publicNkey: 'UGATEWAY' }]);
  const line = text.split('\n').find((words) => words.includes('UGATEWAY'));
  expect(line).toContain('allow: ["up.0198-a.>", "rpc.0198-a.>"]');
  expect(line).toContain('allow: ["cmd.0198-a.>", "_INBOX.0198-a.>"]');
});

test.each(['a.b', '*', '>', '', 'a"b'])(
  'an id %o is refused, because it would widen the permission',
  async (id) => {
    await expect(renderAccounts('UCORE', [{ id, publicNkey: 'U' }])).rejects.toThrow(RangeError);
  },
);

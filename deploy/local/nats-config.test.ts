import { expect, test } from 'vitest';
import { type NatsConfig, renderNatsConfig } from './nats-config.ts';

const config: NatsConfig = {
  port: 4222,
  httpPort: 8222,
  storeDir: '/var/lib/a "quoted" place',
  pidFile: '/run/nats.pid',
  maxFileStore: 1000,
  coreKey: 'UCORE',
  gateways: [{ id: '0198-a', publicNkey: 'UGATEWAY' }],
};

test('every name of the template is filled in, paths quoted', async () => {
  const text = await renderNatsConfig(config);
  expect(text.replace(/^#.*$/gm, '')).not.toMatch(/\{\{/);
  expect(text).toContain(String.raw`store_dir: "/var/lib/a \"quoted\" place"`);
});

test('a gateway may publish and subscribe under its own id only', async () => {
  const line = (await renderNatsConfig(config)).split('\n').find((text) => text.includes('UGATEWAY'));
  expect(line).toContain('allow: ["up.0198-a.>", "rpc.0198-a.>"]');
  expect(line).toContain('allow: ["cmd.0198-a.>", "_INBOX.0198-a.>"]');
});

test.each(['a.b', '*', '>', '', 'a"b'])(
  'an id %o is refused, because it would widen the permission',
  async (id) => {
    await expect(renderNatsConfig({ ...config, gateways: [{ id, publicNkey: 'U' }] })).rejects.toThrow(
      RangeError,
    );
  },
);

test('each message is synced to disk and API requests stay strictly parsed', async () => {
  const text = (await renderNatsConfig(config)).replace(/^\s*#.*$/gm, '');
  expect(text).toContain('sync_interval: always');
  expect(text).not.toContain('strict');
});

import { connect, jwtAuthenticator } from '@nats-io/transport-node';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { createUser } from '@nats-io/nkeys';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { byCreds, startNats, type TestNats } from '../../tests/support/nats.ts';
import { query } from './postgres.ts';

test('the database answers in UTC and knows the time zones of sites', async () => {
  const [row] = await query<{ zone: string; local: string }>(
    inject('postgresUrl'),
    `select current_setting('timezone') as zone, to_char(timestamptz '2026-01-01 00:00Z' at time zone 'Asia/Shanghai', 'HH24:MI') as local`,
  );
  expect(row).toEqual({ zone: 'UTC', local: '08:00' });
});

describe('the message server', () => {
  const gateway = createUser();
  const id = '0198c0de-0000-7000-8000-000000000001';
  let nats: TestNats;
  beforeAll(async () => {
    nats = await startNats({ gateways: [{ id, publicNkey: gateway.getPublicKey() }] });
  });
  afterAll(() => nats.stop());

  const asGateway = () =>
    connect({
      servers: nats.url,
      authenticator: jwtAuthenticator(nats.gatewayJwts.get(id) ?? '', gateway.getSeed()),
      inboxPrefix: `_INBOX.${id}`,
    });
  const asCloud = () => connect({ servers: nats.url, authenticator: byCreds(nats.coreCreds) });

  test('keeps what a gateway publishes over kill -9, and delivers commands to it', async () => {
    const cloud = await asCloud();
    const manager = await jetstreamManager(cloud);
    await manager.streams.add({ name: 'UP', subjects: ['up.*.b'] });
    const edge = await asGateway();
    const ack = await jetstream(edge).publish(`up.${id}.b`, 'sample');
    expect(ack).toMatchObject({ stream: 'UP', seq: 1 });

    const commands = edge.subscribe(`cmd.${id}.>`, { max: 1 });
    await edge.flush();
    cloud.publish(`cmd.${id}.rcpt`, 'receipt');
    for await (const message of commands) expect(message.string()).toBe('receipt');
    await Promise.all([cloud.close(), edge.close()]);

    await nats.kill();
    await nats.restart();
    const again = await asCloud();
    expect((await (await jetstreamManager(again)).streams.info('UP')).state.messages).toBe(1);
    await again.close();
  });

  test('refuses a gateway that speaks for another', async () => {
    const edge = await asGateway();
    const refused = new Promise<string>((resolve) => {
      void (async () => {
        for await (const status of edge.status()) if (status.type === 'error') resolve(status.error.message);
      })();
    });
    edge.publish('up.another.b', 'forged');
    expect(await refused).toMatch(/permissions violation/i);
    await edge.close();
  });

  test('refuses a client without a key', async () => {
    await expect(connect({ servers: nats.url, reconnect: false })).rejects.toThrow(/authorization/i);
  });
});

import {
  AckPolicy,
  DiscardPolicy,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { allUplinks, UPLINK_STREAM } from '@parkline/contract';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectionOptions } from '../../cloud/src/platform/nats.ts';
import { giveShares } from '../../cloud/src/telemetry/uplink-share.ts';
import { MOST_OF_ONE, streamAdvice } from '../../cloud/src/telemetry/uplink-stream.ts';
import { byCreds, startNats, type TestNats } from '../../tests/support/nats.ts';
import { shareStream, shareWords } from './share.ts';

let server: TestNats;
let core: NatsConnection;
beforeAll(async () => {
  server = await startNats({ gateways: [] });
  core = await connect({ servers: server.url, authenticator: byCreds(server.coreCreds) });
});
afterAll(async () => {
  await core.close();
  await server.stop();
});

const streams = async () => (await jetstreamManager(core)).streams;
/** A stream as it was made before gateways had shares. */
beforeEach(async () => {
  const manager = await jetstreamManager(core);
  await manager.streams.delete(UPLINK_STREAM).catch(() => undefined);
  await manager.streams.add({
    ...{ name: UPLINK_STREAM, subjects: [allUplinks], max_bytes: 1024 ** 2 },
    ...{ retention: RetentionPolicy.Workqueue, storage: StorageType.File, discard: DiscardPolicy.New },
  });
});

const send = (gateway: string) => jetstream(core).publish(`up.${gateway}.b`, 'rows');
const sendMany = (gateway: string, n: number) => Promise.all(Array.from({ length: n }, () => send(gateway)));
const look = async () => {
  const { config, state } = await (await streams()).info(UPLINK_STREAM, { subjects_filter: '>' });
  return { config, state, unread: state.subjects ?? {} };
};
/** Reads and acknowledges, as ingest does. */
async function read(n: number): Promise<void> {
  const durable = { durable_name: 'ingest', ack_policy: AckPolicy.Explicit };
  await (await jetstreamManager(core)).consumers.add(UPLINK_STREAM, durable);
  const consumer = await jetstream(core).consumers.get(UPLINK_STREAM, 'ingest');
  for await (const message of await consumer.fetch({ max_messages: n })) await message.ackAck();
}

test('a stream with more unread messages than a share keeps them all, and gets the share when they are read', async () => {
  await sendMany('flood', 8);
  await sendMany('calm', 2);
  expect(await giveShares(core, 5)).toEqual({ what: 'given', share: 8 });
  const { config, state, unread } = await look();
  expect(unread).toEqual({ 'up.flood.b': 8, 'up.calm.b': 2 });
  expect(state.first_seq).toBe(1);
  expect(config).toMatchObject({ max_msgs: -1, max_msgs_per_subject: 8, discard_new_per_subject: true });
  await expect(send('flood')).rejects.toThrow('maximum messages per subject');
  await send('calm');

  await read(6);
  expect(await giveShares(core, 5)).toEqual({ what: 'given', share: 5 });
  expect((await look()).unread).toEqual({ 'up.flood.b': 2, 'up.calm.b': 3 });
  expect(await giveShares(core, 5)).toEqual({ what: 'kept' });
});

test('what is acknowledged while it happens is kept, and the rest is refused', async () => {
  let isOver = false;
  let kept = 0;
  const flood = async () => {
    while (!isOver)
      await send('flood').then(
        () => (kept += 1),
        (error: Error) => expect(error.message).toMatch(/maximum messages/),
      );
  };
  const flooding = [flood(), flood(), flood()];
  for (const share of [4, 3, 2]) await giveShares(core, share);
  isOver = true;
  await Promise.all(flooding);
  expect((await look()).state).toMatchObject({ messages: kept, first_seq: 1, last_seq: kept });
});

test('one that was cut short takes nothing, says what to do, and is ended by the next', async () => {
  await sendMany('calm', 3);
  await (await streams()).update(UPLINK_STREAM, { max_msgs: 1 });
  expect(streamAdvice((await look()).config)).toMatch(/takes no messages: npm run nats -- share/);
  await expect(send('calm')).rejects.toThrow('maximum messages');
  expect(await shareStream(server.trust.folders, server.url)).toEqual({ what: 'given', share: MOST_OF_ONE });
  await send('calm');
  const { config, unread } = await look();
  expect([streamAdvice(config), unread]).toEqual([undefined, { 'up.calm.b': 4 }]);
});

test('one that fails in between gives the intake back', async () => {
  await sendMany('calm', 3);
  let looked = 0;
  const failing: NatsConnection = Object.assign(Object.create(core) as NatsConnection, {
    request: async (...asked: Parameters<NatsConnection['request']>) => {
      if (asked[0].includes('STREAM.INFO') && (looked += 1) === 3) throw new Error('gone');
      return core.request(...asked);
    },
  });
  await expect(giveShares(failing)).rejects.toThrow('gone');
  expect((await look()).config).toMatchObject({ max_msgs: -1, max_msgs_per_subject: -1 });
  await send('calm');
});

test('a limit that somebody set stays', async () => {
  await (await streams()).update(UPLINK_STREAM, { max_msgs: 1_000 });
  await giveShares(core);
  expect((await look()).config.max_msgs).toBe(1_000);
});

test('a stream that pushes out old messages is not touched', async () => {
  const pushes: Partial<StreamConfig> = { discard: DiscardPolicy.Old };
  await (await streams()).update(UPLINK_STREAM, pushes);
  await sendMany('calm', 3);
  await expect(giveShares(core)).rejects.toThrow('discards old, not new');
  expect((await look()).unread).toEqual({ 'up.calm.b': 3 });
});

test('where there is no stream nothing is made, and the cloud’s own reader may change none', async () => {
  const access = { url: server.url, credsDir: server.credsDir };
  const ingest = await connect(connectionOptions(access, 'ingest'));
  await expect(giveShares(ingest)).rejects.toThrow(/permission/i);
  await ingest.close();
  await (await streams()).delete(UPLINK_STREAM);
  const outcome = await shareStream(server.trust.folders, server.url);
  expect(shareWords(outcome)).toContain('there is no stream yet');
});

import { randomUUID } from 'node:crypto';
import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import {
  type Command,
  decodeEnvelope,
  type EventBatch,
  GatewayHealth,
  SignedText,
  subjects,
  UPLINK_STREAM,
  type WriteLimits,
} from '@parkline/contract';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { byCreds, startNats, type TestNats } from '../../tests/support/nats.ts';
import { newKeys } from './testing/cloud.ts';
import { command, fileDevice, signedCommand, writesTo } from './testing/commands.ts';
import { newIdentity, runGateway, type RunningGateway } from './testing/gateway.ts';
import { scratch } from './testing/scratch.ts';
import type { CommandEvent } from './writing/journal.ts';

const identity = newIdentity();
const { gatewayId } = identity;
const cloudKeys = newKeys();

let nats: TestNats;
let core: NatsConnection;
let home: ReturnType<typeof scratch>;
let gateway: RunningGateway | undefined;
let told: CommandEvent[];
let health: GatewayHealth | undefined;

beforeEach(async () => {
  home = scratch();
  told = [];
  health = undefined;
  nats = await startNats({ gateways: [{ id: gatewayId, publicNkey: identity.natsKey }] });
  const authenticator = byCreds(nats.coreCreds);
  core = await connect({ servers: nats.url, authenticator });
  const stream = {
    name: UPLINK_STREAM,
    subjects: ['up.*.b'],
    retention: 'workqueue',
    discard: 'new',
    storage: 'file',
  };
  await core.request(`$JS.API.STREAM.CREATE.${UPLINK_STREAM}`, JSON.stringify(stream));
  core.subscribe(subjects.uplink(gatewayId), { callback: (_error, { data }) => void hear(data) });
  core.subscribe(subjects.health(gatewayId), {
    callback: (_error, message) => {
      health = Value.Parse(GatewayHealth, JSON.parse(Value.Parse(SignedText, message.json()).body));
    },
  });
});

afterEach(async () => {
  await gateway?.stop();
  await core.close();
  await nats.stop();
  home[Symbol.dispose]();
});

function hear(data: Uint8Array): void {
  const decoded = decodeEnvelope(data);
  if (!decoded.ok || decoded.envelope.header.kind !== 'events') return;
  const { events } = JSON.parse(zstdDecompressSync(decoded.envelope.payload).toString()) as EventBatch;
  for (const event of events) if (event.type === 'command') told.push(event);
}

const device = (): string => join(home.path, 'device');

/** A gateway with one point, polled all the time, that may be written within `write`. */
async function start(write: Partial<WriteLimits> | undefined): Promise<void> {
  const driver = fileDevice(device());
  gateway = await runGateway(home.path, {
    ...{
      identity,
      natsUrl: nats.url,
      natsJwt: nats.gatewayJwts.get(gatewayId),
      cloudKey: cloudKeys.publicKey,
    },
    driver: {
      protocol: 'file',
      openConnection: () => ({ device: () => driver, close: () => Promise.resolve() }),
    },
    ...(write && { write }),
  });
  await expect.poll(() => health, { timeout: 20_000 }).toBeDefined();
}

const fresh = (over: Partial<Command> = {}): Command =>
  command({ id: randomUUID(), issuedAt: Date.now(), expiresAt: Date.now() + 60_000, ...over });

/** Publishes as the cloud does. */
function publish(order: Command, key = cloudKeys.privateKey): void {
  core.publish(subjects.command(gatewayId), signedCommand(order, key));
}

/** What the gateway says of this command. */
async function resultOf(order: Command): Promise<CommandEvent> {
  const find = (): CommandEvent | undefined => told.find(({ commandId }) => commandId === order.id);
  await expect.poll(find, { timeout: 20_000 }).toBeDefined();
  return find()!;
}

const limits = { min: 0, max: 50, release: 20, perMinute: 60 };

describe('a gateway on a real NATS server', () => {
  test('writes what the cloud signed, once however often it comes, and gives the point back', async () => {
    await start(limits);
    const order = fresh({ value: 21, holdS: 1 });
    for (let i = 0; i < 3; i += 1) publish(order);
    expect(await resultOf(order)).toMatchObject({ outcome: 'done', before: 20, after: 21 });
    await expect
      .poll(() => told.map(({ outcome }) => outcome), { timeout: 20_000 })
      .toEqual(['done', 'released']);
    expect(writesTo(device())).toEqual([21, 20]);
  });

  test('writes nothing that another signed, that is late, for another gateway or out of range', async () => {
    await start(limits);
    const late = fresh({ issuedAt: Date.now() - 61_000, expiresAt: Date.now() - 1_000 });
    const high = fresh({ value: 50.1 });
    publish(fresh({ value: 1 }), newKeys().privateKey);
    publish(fresh({ value: 2, gatewayId: gatewayId.replace('0001', '0009') }));
    publish(late);
    publish(high);
    expect((await resultOf(late)).why).toMatch(/^expired: /);
    expect((await resultOf(high)).why).toMatch(/^range: /);
    const last = fresh({ value: 3 });
    publish(last);
    await resultOf(last);
    expect(writesTo(device())).toEqual([3]);
    expect(told).toHaveLength(3);
  });

  test('writes to no point that is not declared writable', async () => {
    await start(undefined);
    const order = fresh();
    publish(order);
    expect(await resultOf(order)).toMatchObject({
      outcome: 'refused',
      why: expect.stringMatching(/^read-only: /) as string,
    });
    expect(writesTo(device())).toEqual([]);
  });

  test('moves a gate only for two different people, whatever the cloud signed', async () => {
    await start({ ...limits, safety: true });
    const actor = { id: randomUUID(), name: 'Ada' };
    const alone = fresh({ actor });
    const twice = fresh({ actor, approver: { ...actor, name: 'Somebody else' } });
    const both = fresh({ actor, approver: { id: randomUUID(), name: 'Bo' } });
    for (const order of [alone, twice, both]) publish(order);
    expect((await resultOf(alone)).why).toMatch(/^approver: /);
    expect((await resultOf(twice)).why).toMatch(/^approver: /);
    expect((await resultOf(both)).outcome).toBe('done');
    expect(writesTo(device())).toEqual([21]);
  });

  test('writes nothing while the switch on site is off, says so, and goes on when it is on', async () => {
    await start(limits);
    expect(health?.writing).toBe('on');
    writeFileSync(join(home.path, 'writing.off'), '');
    const off = fresh();
    publish(off);
    expect((await resultOf(off)).why).toMatch(/^off: /);
    gateway?.skip(10_000);
    await expect.poll(() => health?.writing, { timeout: 20_000 }).toBe('off');
    rmSync(join(home.path, 'writing.off'));
    const on = fresh({ value: 22 });
    publish(on);
    expect((await resultOf(on)).outcome).toBe('done');
    expect(writesTo(device())).toEqual([22]);
  });
});

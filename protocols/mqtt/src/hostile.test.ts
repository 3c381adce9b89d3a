import { connect as dial } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freePort, mqttClient, paramsOf, tokenOf } from '../../../tests/support/mqtt.ts';
import { createBroker } from './broker.ts';
import { createStation } from './station.ts';
import { createSeen } from './seen.ts';
import { accountsOf, quietLog, randomFrom, scratchFolder } from './testing.ts';

const ROUNDS = 2_000;
/** As many connections as one device may have: no attack is turned away at the door. */
const LANES = 4;
const host = '127.0.0.1';

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
};
const packet = (head: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([
    Buffer.of(head, (body.length & 0x7f) | (body.length > 127 ? 0x80 : 0)),
    ...(body.length > 127 ? [Buffer.of(body.length >> 7)] : []),
    body,
  ]);
};

/** Everything a client may send (MQTT 3.1.1, clause 3), as one device of ours would. */
const sound: readonly Buffer[] = [
  packet(
    0x10,
    Buffer.from('00044d51545404ee003c', 'hex'),
    text('id'),
    text('devices/bad/online'),
    text('0'),
    text('bad'),
    text(tokenOf('bad')),
  ),
  packet(0x33, text('devices/bad/state'), Buffer.of(0, 7), Buffer.from('{"open":true}')),
  packet(0x34, text('devices/bad/state'), Buffer.of(0, 8), Buffer.from('{"open":true}')),
  packet(0x62, Buffer.of(0, 8)),
  packet(0x40, Buffer.of(0, 9)),
  packet(0x82, Buffer.of(0, 10), text('devices/bad/#'), Buffer.of(1)),
  packet(0xa2, Buffer.of(0, 11), text('devices/bad/#')),
  packet(0xc0),
  packet(0xe0),
];

function mutated(random: (below: number) => number): Buffer {
  const sequence = random(4) === 0 ? [] : [sound[0]!]; // Mostly past the login, where there is more to break.
  for (let i = 0; i < 3; i += 1) sequence.push(Buffer.from(sound[random(sound.length)]!));
  const bytes = Buffer.concat(sequence);
  const from = sequence[0] === sound[0] && random(3) > 0 ? sequence[0]!.length : 0;
  for (let i = random(4); i >= 0; i -= 1) bytes[from + random(bytes.length - from)] = random(256);
  return random(5) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

async function send(port: number, bytes: Buffer, lingerMs: number): Promise<void> {
  const socket = dial(port, host).on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume().write(bytes);
  await Promise.race([closed, sleep(lingerMs)]);
  socket.end();
  await closed;
}

test('broken packets end their own connection at most: no crash, no value of another device', async () => {
  const stations = new Map(['good', 'bad'].map((name) => [name, createStation(Date.now)]));
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  process.on('uncaughtException', onFailure).on('unhandledRejection', onFailure);
  const port = await freePort();
  const broker = createBroker({
    ...{ host, port, maxPacketBytes: 1_024, maxConnections: 100, log: quietLog },
    ...accountsOf(stations, paramsOf),
    ...{ now: Date.now, dataDir: scratchFolder(), seen: createSeen() },
  });
  try {
    await broker.open();
    const good = await mqttClient({ host, port, username: 'good', password: tokenOf('good') });
    await good.publishAsync('devices/good/state', '{"open":false}', { qos: 1 });
    const random = randomFrom(20_261_122);
    const attack = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS / LANES; round += 1)
        // Some break off in the middle of the login, some stay for what follows it, which takes some turns.
        await send(port, mutated(random), 5 * random(2));
    };
    await Promise.all(Array.from({ length: LANES }, attack));
    // Whoever broke off in the middle of a login has not stayed behind as a ghost.
    await expect.poll(() => stations.get('bad')?.isOnline(), { timeout: 10_000 }).toBe(false);
    expect(good.connected).toBe(true);
    await good.publishAsync('devices/good/state', '{"open":true}', { qos: 1 });
    await expect
      .poll(() => stations.get('good')?.last('state')?.document, { timeout: 10_000 })
      .toEqual({ ok: true, value: { open: true } });
    expect(stations.get('good')?.names()).toEqual(['state']);
    expect(failures).toEqual([]);
    await good.endAsync(true);
  } finally {
    await broker.close();
    process.off('uncaughtException', onFailure).off('unhandledRejection', onFailure);
  }
}, 120_000);

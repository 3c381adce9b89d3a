// The devices of the MQTT benchmark, a process of its own: `node mqtt-devices.ts <JSON of Load>`. Hand-made frames: cheap to send, and
// the same for both sides. Logs in, tells a few times, says ready, and on a line of standard input tells the rest; then prints Sent.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Load {
  readonly port: number;
  readonly devices: number;
  /** Of each device. */
  readonly warmUps: number;
  readonly messages: number;
  /** Numbers in each message. */
  readonly points: number;
  /** Messages of a device without an answer. */
  readonly window: number;
}

export interface Sent {
  /** µs of this process while it told. */
  readonly cpuUs: number;
}

export const userOf = (device: number): string => `device-${device}`;
export const tokenOf = (device: number): string => `token-of-${device}`;
export const fieldOf = (point: number): string => `v${point}`;

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
};

/** MQTT 3.1.1, clause 2.2: a fixed head with the length in groups of seven bits, then the rest. */
function packet(head: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let rest = body.length; rest > 0 || length.length === 0; rest >>= 7)
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  return Buffer.concat([Buffer.of(head, ...length), body]);
}

interface Device {
  readonly socket: Socket;
  readonly number: number;
  sent: number;
  acknowledged: number;
  wake: () => void;
}

async function logIn({ port }: Load, number: number): Promise<Device> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  const flags = Buffer.from('00044d51545404c20000', 'hex'); // MQTT level 4, user name, password, clean session
  socket.write(packet(0x10, flags, text(userOf(number)), text(userOf(number)), text(tokenOf(number))));
  await once(socket, 'data'); // CONNACK
  const device: Device = { socket, number, sent: 0, acknowledged: 0, wake: () => undefined };
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length; // Nothing but PUBACKs of four bytes comes.
    device.acknowledged = Math.floor(bytes / 4);
    device.wake();
  });
  return device;
}

/** PUBLISH, QoS 1, retained; every message has values of its own. */
function message({ points }: Load, { number, sent }: Device): Buffer {
  const values = Array.from({ length: points }, (_, p) => `"${fieldOf(p)}":${((sent * 7 + p) % 1000) / 10}`);
  const id = (sent % 65_535) + 1;
  return packet(
    0x33,
    text(`devices/${userOf(number)}/state`),
    Buffer.of(id >> 8, id & 0xff),
    Buffer.from(`{"ts":${Date.now()},${values.join(',')}}`),
  );
}

async function tell(load: Load, device: Device, count: number): Promise<void> {
  for (const until = device.sent + count; device.sent < until;) {
    const frames: Buffer[] = [];
    while (device.sent < until && device.sent - device.acknowledged < load.window) {
      frames.push(message(load, device));
      device.sent += 1;
    }
    if (frames.length > 0) device.socket.write(Buffer.concat(frames));
    await new Promise<void>((resolve) => (device.wake = resolve));
  }
  while (device.acknowledged < device.sent) await new Promise<void>((resolve) => (device.wake = resolve));
}

if (import.meta.main) {
  const load = JSON.parse(process.argv[2] ?? '') as Load;
  const devices: Device[] = [];
  for (let number = 0; number < load.devices; number += 1) devices.push(await logIn(load, number));
  await Promise.all(devices.map((device) => tell(load, device, load.warmUps)));
  process.stdout.write('{"ready":true}\n');
  await once(process.stdin, 'data');
  const before = process.cpuUsage();
  await Promise.all(devices.map((device) => tell(load, device, load.messages)));
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${JSON.stringify({ cpuUs: user + system } satisfies Sent)}\n`);
  await once(process.stdin, 'end');
  for (const { socket } of devices) socket.destroy();
}

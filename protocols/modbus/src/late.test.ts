import { createServer, type Socket } from 'node:net';
import type { Connection, Sample } from '@parkline/kit';
import { test } from 'vitest';
import { startSerialBench } from '../../../tests/support/serial-bench.ts';
import { crc16 } from './frame.ts';
import { connectionTo, gauge, never } from './testing.ts';

type Transport = 'tcp' | 'rtu-over-tcp' | 'rtu';
/** What the slave does: it answers function 8 (cheap slaves keep silent at what they do not know), or not. */
interface Habits {
  readonly knowsEcho?: boolean;
  /** It is behind a server that hands the bytes of its line on to whoever is connected by then. */
  readonly isBehindServer?: boolean;
  /** The gateway's clock is set an hour forward with every poll. */
  readonly isClockSet?: boolean;
}
const TIMEOUT_MS = 40;

/** A slave that counts its requests and shows how many there were: an answer to an older request is known by it. */
interface CountingSlave {
  readonly port: number;
  requests(): number;
  /** How late the next answers are, ms; answers keep their order. */
  delay(ms: number): void;
  close(): void;
}

/** What a test began ends with it. */
type Finally = (end: () => void | Promise<void>) => void;

async function startSlave(
  transport: Transport,
  { knowsEcho = true, isBehindServer = false }: Habits,
  finallyDo: Finally,
): Promise<CountingSlave> {
  let requests = 0;
  let delayMs = 0;
  let lastAt = 0;
  const head = transport === 'tcp' ? 6 : 0;
  const sockets = new Set<Socket>();

  /** The first register holds its own place, the next how many requests there were. A doubted unit is asked for the first alone. */
  function registersOf(start: number, count: number): Buffer {
    const shown = requests & 0xffff;
    const both = Buffer.of(start >> 8, start & 255, shown >> 8, shown & 255);
    return Buffer.concat([Buffer.of(3, 2 * count), both.subarray(0, 2 * count)]);
  }

  function serve(socket: Socket, frame: Buffer): void {
    const pdu = frame.subarray(head + 1, head + 6);
    if (pdu[0] === 8 && !knowsEcho) return;
    if (pdu[0] === 3) requests += 1;
    const answer = pdu[0] === 3 ? registersOf(pdu.readUInt16BE(1), pdu.readUInt16BE(3)) : Buffer.from(pdu);
    const body = Buffer.of(frame[head]!, ...answer);
    const check = crc16(body);
    const reply =
      transport === 'tcp'
        ? Buffer.concat([frame.subarray(0, 4), Buffer.of(0, body.length), body])
        : Buffer.concat([body, Buffer.of(check & 255, check >> 8)]);
    lastAt = Math.max(lastAt, Date.now() + delayMs);
    setTimeout(() => {
      const to = isBehindServer ? [...sockets].at(-1)! : socket;
      if (!to.destroyed) to.write(reply);
    }, lastAt - Date.now());
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    let rest = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      const length = transport === 'tcp' ? 12 : 8;
      for (; rest.length >= length; rest = rest.subarray(length)) serve(socket, rest.subarray(0, length));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const slave: CountingSlave = {
    port: (server.address() as { port: number }).port,
    requests: () => requests,
    delay(ms) {
      delayMs = ms;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  finallyDo(() => slave.close());
  return slave;
}

async function connect(
  transport: Transport,
  port: number,
  now: () => number,
  finallyDo: Finally,
): Promise<Connection | string> {
  const device = { host: '127.0.0.1', port };
  const serial = transport === 'rtu' ? await startSerialBench(device) : undefined;
  if (serial && 'why' in serial) return serial.why;
  if (serial) finallyDo(() => serial.close());
  const place = serial ? { path: serial.path, baudRate: 115_200 } : device;
  const connection = connectionTo({ transport, ...place, timeoutMs: TIMEOUT_MS, gapRegisters: 0 }, now);
  finallyDo(() => connection.close());
  return connection;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test.concurrent.for([
  ['tcp', {}],
  ['rtu-over-tcp', {}],
  ['rtu-over-tcp', { isBehindServer: true }],
  ['rtu-over-tcp', { isBehindServer: true, knowsEcho: false }],
  ['rtu-over-tcp', { isBehindServer: true, knowsEcho: false, isClockSet: true }],
  ['rtu', {}],
  ['rtu', { knowsEcho: false }],
] as const)(
  'on %s a slave that answers late for ever is never believed, and is when it is in time (%j)',
  { timeout: 30_000 },
  async ([transport, habits]: readonly [Transport, Habits], { expect, onTestFinished, skip }) => {
    const slave = await startSlave(transport, habits, onTestFinished);
    let ahead = 0;
    const connection = await connect(transport, slave.port, () => Date.now() + ahead, onTestFinished);
    if (typeof connection === 'string') return skip(connection);
    const device = connection.device({ unit: 5 });
    let good = 0;
    let wrong = 0;

    /** One poll of one of several places of the same length; the answer must be to the very last request. */
    async function poll(turn: number): Promise<boolean> {
      const start = (turn % 5) * 20;
      const before = slave.requests();
      if (habits.isClockSet) ahead += 3_600_000;
      const samples = await device
        .read([gauge(`hr:${start}:u16`), gauge(`hr:${start + 1}:u16`)], never())
        .catch((error: unknown) => error as Error);
      if (!Array.isArray(samples)) return false;
      const [place, count] = (samples as Sample[]).map(({ value }) => value);
      if (place !== start || count !== slave.requests() || count === before) wrong += 1;
      else good += 1;
      return true;
    }
    const pollFor = async (ms: number, until: () => boolean = () => false): Promise<void> => {
      const end = Date.now() + ms;
      for (let turn = 0; Date.now() < end && !until(); turn += 1) {
        await poll(turn);
        await pause(5);
      }
    };

    for (const lateMs of [TIMEOUT_MS * 1.3, TIMEOUT_MS * 6]) {
      slave.delay(lateMs);
      const before = good;
      await pollFor(600);
      expect(wrong).toBe(0);
      // A busy process may come to an answer that is a little late at the same moment as to the time-out.
      if (lateMs > TIMEOUT_MS * 2) expect(good).toBe(before);
    }
    slave.delay(0);
    await pollFor(15_000, () => good >= 20);
    expect(good).toBeGreaterThanOrEqual(20);
    // In and out of time, so that what is late comes when the unit is asked again for the first time.
    const end = Date.now() + 2_000;
    while (Date.now() < end) {
      slave.delay(TIMEOUT_MS * 3.3);
      await pollFor(TIMEOUT_MS * 5);
      slave.delay(0);
      const before = good;
      await pollFor(5_000, () => good > before);
    }
    expect(wrong).toBe(0);
  },
);

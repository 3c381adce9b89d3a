import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startPtyPair } from '../../../../tests/support/pty-pair.ts';
import type { ByteLine, Dial } from './byte-line.ts';
import { createEchoFilter } from './echo.ts';
import { createSerialDial } from './serial-dial.ts';
import { characterMs, serialName, type SerialSettings } from './serial-settings.ts';
import { createTcpDial } from './tcp-dial.ts';

const never = (): AbortSignal => new AbortController().signal;
const settings = (path: string, more: Partial<SerialSettings> = {}): SerialSettings => ({
  path,
  baudRate: 9_600,
  dataBits: 8,
  parity: 'even',
  stopBits: 1,
  ...more,
});

/** A line that remembers what happened on it. */
interface Watched {
  readonly line: ByteLine;
  readonly heard: number[];
  readonly ends: string[];
}
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function watch(dial: Dial): Promise<Watched> {
  const heard: number[] = [];
  const ends: string[] = [];
  const line = await dial(
    { onData: (bytes) => void heard.push(...bytes), onClose: (why) => void ends.push(why) },
    never(),
  );
  endings.push(() => line.destroy());
  return { line, heard, ends };
}

describe('a TCP line', () => {
  async function listen(onSocket: (socket: Socket) => void): Promise<number> {
    const server = createServer(onSocket);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endings.push(() => server.close());
    return (server.address() as { port: number }).port;
  }
  const dialTo = (port: number, timeoutMs = 2_000): Dial =>
    createTcpDial({ host: '127.0.0.1', port, timeoutMs });

  test('carries bytes both ways, in order', async () => {
    const { line, heard } = await watch(dialTo(await listen((socket) => void socket.pipe(socket))));
    line.write(Uint8Array.of(1, 2));
    line.write(Uint8Array.of(3));
    await line.drain();
    await line.flush();
    await expect.poll(() => heard).toEqual([1, 2, 3]);
  });

  test('says once that the far end hung up, and nothing of its own end', async () => {
    const far = await watch(dialTo(await listen((socket) => void socket.destroy())));
    await expect.poll(() => far.ends).toEqual(['the device hung up']);
    const own = await watch(dialTo(await listen(() => undefined)));
    await own.line.destroy();
    await own.line.destroy();
    await own.line.drain();
    expect(own.ends).toEqual([]);
  });

  test('is lost where nobody listens and aborted where nobody wants it', async () => {
    const port = await listen(() => undefined);
    await expect(
      dialTo(1)({ onData: () => undefined, onClose: () => undefined }, never()),
    ).rejects.toMatchObject({
      code: 'lost',
      where: '127.0.0.1:1',
    });
    const events = { onData: () => undefined, onClose: () => undefined };
    await expect(dialTo(port)(events, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    const stop = new AbortController();
    const opening = dialTo(port)(events, stop.signal);
    stop.abort();
    await expect(opening).rejects.toMatchObject({ code: 'aborted' });
  });
});

const pair = await startPtyPair();
const why = 'why' in pair ? ` (NOT RUN: ${pair.why})` : '';
const [near, far] = 'why' in pair ? ['', ''] : [pair.near, pair.far];
afterAll(() => ('why' in pair ? undefined : pair.close()));

describe.skipIf('why' in pair)(`a serial line${why}`, () => {
  test('carries bytes both ways, in order', async () => {
    const [a, b] = [
      await watch(createSerialDial(settings(near))),
      await watch(createSerialDial(settings(far))),
    ];
    a.line.write(Uint8Array.of(0x11, 0x13, 0x00, 0xff)); // Flow control characters are bytes like others.
    a.line.write(Uint8Array.of(7));
    await a.line.drain();
    await expect.poll(() => b.heard).toEqual([0x11, 0x13, 0, 255, 7]);
    b.line.write(Uint8Array.of(9));
    await expect.poll(() => a.heard).toEqual([9]);
    expect([a.ends, b.ends]).toEqual([[], []]);
  });

  test('is opened by one at a time, and can be opened again when it was closed', async () => {
    const first = await watch(createSerialDial(settings(near)));
    await expect(watch(createSerialDial(settings(near)))).rejects.toMatchObject({
      code: 'lost',
      where: `${near} 9600 8E1`,
    });
    await first.line.destroy();
    await first.line.destroy();
    await watch(createSerialDial(settings(near)));
    expect(first.ends).toEqual([]);
  });

  test('with an echo hears what others say and not itself, and ends where the echo is another', async () => {
    const [a, b] = [
      await watch(createSerialDial(settings(near, { echo: true }))),
      await watch(createSerialDial(settings(far))),
    ];
    a.line.write(Uint8Array.of(1, 2, 3));
    b.line.write(Uint8Array.of(1, 2, 3, 4)); // The echo and an answer.
    await expect.poll(() => a.heard).toEqual([4]);
    a.line.write(Uint8Array.of(5));
    b.line.write(Uint8Array.of(6));
    await expect.poll(() => a.ends).toEqual([expect.stringContaining('two spoke at once')]);
  });

  test('a port that is not there is lost, with its name', async () => {
    await expect(watch(createSerialDial(settings('/dev/nowhere')))).rejects.toMatchObject({
      code: 'lost',
      where: '/dev/nowhere 9600 8E1',
    });
    await expect(
      createSerialDial(settings(near))(
        { onData: () => undefined, onClose: () => undefined },
        AbortSignal.abort(),
      ),
    ).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a port that is pulled out ends its line at once, and no processor is spent on it', async () => {
    const other = await startPtyPair();
    if ('why' in other) throw new Error(other.why);
    const { line, ends } = await watch(createSerialDial(settings(other.near)));
    await other.close();
    await expect.poll(() => ends.length, { timeout: 5_000 }).toBe(1);
    line.write(Uint8Array.of(1));
    await line.drain();
    expect(ends).toHaveLength(1);
  });
});

test('an echo may come in pieces, together with what follows, and is forgotten on demand', () => {
  const echo = createEchoFilter();
  echo.sent(Uint8Array.of(1, 2, 3));
  expect(echo.heard(Uint8Array.of(1))).toEqual(new Uint8Array(0));
  expect(echo.heard(Uint8Array.of(2, 3, 9))).toEqual(Uint8Array.of(9));
  echo.sent(Uint8Array.of(4));
  expect(echo.heard(Uint8Array.of(5))).toBeUndefined();
  echo.forget();
  expect(echo.heard(Uint8Array.of(5))).toEqual(Uint8Array.of(5));
});

test('a character takes its start, data, parity and stop bits', () => {
  expect(characterMs(settings('x'))).toBeCloseTo(11 / 9.6);
  expect(characterMs(settings('x', { parity: 'none', dataBits: 7, stopBits: 2, baudRate: 1_000 }))).toBe(10);
  expect(serialName(settings('COM3', { parity: 'none', stopBits: 2 }))).toBe('COM3 9600 8N2');
});

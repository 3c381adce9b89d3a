import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { DriverError } from '../errors.ts';
import type { Dial, LineEvents } from '../line/byte-line.ts';
import { createTcpDial } from '../line/tcp-dial.ts';
import { readBcd } from './bcd.ts';
import { createMeterLine, type MeterLine } from './meter-line.ts';
import { createTurns } from './turns.ts';
import type { Question } from './wire.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const never = (): AbortSignal => new AbortController().signal;

/** A line in memory: what is written, and a way to say something on it. */
function createFar(answer: (bytes: Uint8Array, say: (text: string) => void) => void) {
  const written: string[] = [];
  const opened: LineEvents[] = [];
  const dial: Dial = (events) => {
    opened.push(events);
    return Promise.resolve({
      write(bytes) {
        written.push(Buffer.from(bytes).toString());
        answer(bytes, (text) => events.onData(Buffer.from(text)));
      },
      ...{ drain: () => Promise.resolve(), flush: () => Promise.resolve(), destroy: () => Promise.resolve() },
    });
  };
  return { dial, written, opened };
}

const lineOf = (dial: Dial, steady = () => performance.now(), now = Date.now): MeterLine =>
  createMeterLine({ dial, where: 'far', timeoutMs: 40, quietMs: 15, now, steady, random: () => 0.5, log });

/** Asks 'a1' of meter a; the answer is 'A1'. */
const questionTo = (text: string): Question<string> => ({
  meter: text[0]!,
  bytes: Buffer.from(text),
  find: (heard) => (Buffer.from(heard).includes(text.toUpperCase()) ? text.toUpperCase() : undefined),
});
const ask = async (line: MeterLine, text: string): Promise<string> =>
  (await line.ask(questionTo(text), never())).answer;

/** Says 'A1' to whoever asks, from a thread of its own: it speaks while this thread is busy. */
const METER_APART = `
  const server = require('node:net').createServer((socket) => socket.on('data', () => socket.write('A1')));
  const { parentPort } = require('node:worker_threads');
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

/** Nothing else of this thread runs meanwhile. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('an answer that came in time is taken, however late a busy process looks at it', async () => {
  const thread = new Worker(METER_APART, { eval: true });
  const [port] = (await once(thread, 'message')) as [number];
  const dial = createTcpDial({ host: '127.0.0.1', port, timeoutMs: 5_000 });
  const line = createMeterLine({
    ...{ dial, where: 'far', timeoutMs: 150, quietMs: 15, now: Date.now, steady: () => performance.now() },
    ...{ random: () => 0.5, log },
  });
  await line.open(never());
  const asked = ask(line, 'a1');
  setImmediate(() => block(250)); // The question is out, the answer comes meanwhile.
  expect(await asked).toBe('A1');
  await line.close();
  await thread.terminate();
});

describe('a line of meters', () => {
  test('carries one question at a time and takes turns over the meters', async () => {
    let waiting = 0;
    const far = createFar((bytes, say) => {
      waiting += 1;
      expect(waiting).toBe(1);
      setTimeout(() => {
        waiting -= 1;
        say(Buffer.from(bytes).toString().toUpperCase());
      }, 2);
    });
    const line = lineOf(far.dial);
    const answers = await Promise.all(['a1', 'a2', 'a3', 'b1', 'c1'].map((text) => ask(line, text)));
    expect(answers).toEqual(['A1', 'A2', 'A3', 'B1', 'C1']);
    expect(far.written).toEqual(['a1', 'a2', 'b1', 'c1', 'a3']); // a2 came when nobody waited.
    await line.close();
  });

  test('after a time-out waits until the line is quiet, so that a late answer meets nobody', async () => {
    const far = createFar((bytes, say) => {
      const text = Buffer.from(bytes).toString();
      if (text === 'a1') for (const ms of [45, 52, 60]) setTimeout(() => say('B1'), ms);
      else setTimeout(() => say('B2'), 1);
    });
    const line = lineOf(far.dial);
    await expect(ask(line, 'a1')).rejects.toMatchObject({ code: 'timeout' });
    const either: Question<string> = {
      ...{ meter: 'b', bytes: Buffer.from('b2') },
      find: (heard) => (heard.length >= 2 ? Buffer.from(heard).toString() : undefined),
    };
    expect((await line.ask(either, never())).answer).toBe('B2');
    await line.close();
  });

  test('leaves a silent meter alone for 2, 4, 8 ... time-outs, and tells so at once', async () => {
    const far = createFar((bytes, say) => {
      if (Buffer.from(bytes).toString() !== 'a1') say('B1');
    });
    let steady = 1_000;
    let clock = Date.now();
    const line = lineOf(
      far.dial,
      () => steady,
      () => (clock += 3_600_000), // Set an hour on with every look: no pause ends by that.
    );
    await expect(ask(line, 'a1')).rejects.toThrow(/no answer in 40 ms/);
    await expect(ask(line, 'a1')).rejects.toThrow(/silent; asked again in 80 ms/);
    expect(await ask(line, 'b1')).toBe('B1');
    steady += 81;
    await expect(ask(line, 'a1')).rejects.toThrow(/no answer/);
    await expect(ask(line, 'a1')).rejects.toThrow(/asked again in 160 ms/);
    expect(far.written).toEqual(['a1', 'b1', 'a1']);
    await line.close();
  });

  test('is opened anew when nobody answers any more, and when it broke', async () => {
    const far = createFar((bytes) => {
      if (Buffer.from(bytes).toString() === 'e1') queueMicrotask(() => far.opened[1]!.onClose('pulled out'));
    });
    const line = lineOf(far.dial);
    for (const text of ['a1', 'b1', 'c1']) await ask(line, text).catch(() => undefined);
    await ask(line, 'd1').catch(() => undefined);
    expect(far.opened).toHaveLength(2);
    await expect(ask(line, 'e1')).rejects.toMatchObject({ code: 'lost', message: 'pulled out' });
    await line.close();
  });

  test('tells whoever waits that nobody is there, and dials less often', async () => {
    let dials = 0;
    const line = lineOf(() => {
      dials += 1;
      return Promise.reject(new DriverError('lost', 'refused', 'far'));
    });
    await expect(ask(line, 'a1')).rejects.toThrow('refused');
    await expect(ask(line, 'b1')).rejects.toThrow(/tried again in \d+ ms/);
    expect(dials).toBe(1);
    await line.close();
    await expect(ask(line, 'a1')).rejects.toMatchObject({ code: 'lost' });
  });
});

test('turns: a meter with many jobs waits after each for the others; jobs can be taken out', () => {
  const turns = createTurns<string>();
  for (const job of ['a1', 'a2', 'b1', 'c1', 'c2']) turns.push(job[0]!, job);
  turns.remove('c', 'c1');
  expect([turns.take(), turns.take(), turns.take(), turns.take(), turns.take()]).toEqual([
    ...['a1', 'b1', 'c2', 'a2', undefined],
  ]);
  for (const job of ['a1', 'b1', 'b2']) turns.push(job[0]!, job);
  expect([turns.drain('b'), turns.drain(), turns.take()]).toEqual([['b1', 'b2'], ['a1'], undefined]);
});

test.each([
  [[0x78, 0x56, 0x34, 0x12], 2, false, 123456.78],
  [[0x25, 0x51, 0x80], 3, true, -5.125],
  [[0x25, 0x51, 0x80], 3, false, 805.125],
  [[0x00, 0x80], 1, true, 0],
])('BCD %j with %i decimals is a number', (bytes, decimals, isSigned, value) => {
  expect(readBcd(Uint8Array.from(bytes), decimals, isSigned)).toEqual({ ok: true, value });
});

test.each([[[0xff, 0xff]], [[0x1a, 0x00]], [[0x00, 0xb0]]])('BCD %j is none', (bytes) => {
  expect(readBcd(Uint8Array.from(bytes), 0).ok).toBe(false);
});

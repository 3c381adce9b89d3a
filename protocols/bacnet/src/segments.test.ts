import { expect, test } from 'vitest';
import { createAssembler } from './segments.ts';
import { createStation } from './station.ts';

/** A segment of a ReadProperty answer. */
const segment = (sequence: number, data: string, { more = true, window = 4, invokeId = 9 } = {}): Buffer =>
  Buffer.concat([Buffer.from([0x38 | (more ? 4 : 0), invokeId, sequence, window, 12]), Buffer.from(data)]);
const ack = (sequence: number, window = 4): Buffer => Buffer.from([0x40, 9, sequence, window]);
const nak = (sequence: number, window = 4): Buffer => Buffer.from([0x42, 9, sequence, window]);

test('the first segment is acknowledged, then each window, then the last', () => {
  const assembler = createAssembler(9);
  const replies = 'abcdefg'.split('').map((data, n) => assembler.take(segment(n, data, { more: n < 6 })));
  expect(replies.map(({ reply }) => reply)).toEqual([
    ack(0),
    undefined,
    undefined,
    undefined,
    ack(4),
    undefined,
    ack(6),
  ]);
  expect(replies.at(-1)!.whole).toEqual(Buffer.concat([Buffer.from([0x30, 9, 12]), Buffer.from('abcdefg')]));
});

test('a gap is asked for, a repetition is acknowledged and not taken twice', () => {
  const assembler = createAssembler(9);
  assembler.take(segment(0, 'a'));
  expect(assembler.take(segment(2, 'c'))).toEqual({ reply: nak(0) });
  assembler.take(segment(1, 'b'));
  expect(assembler.take(segment(0, 'x'))).toEqual({ reply: ack(1) });
  const { whole } = assembler.take(segment(2, 'c', { more: false }));
  expect(whole?.subarray(3).toString()).toBe('abc');
});

test('segments of another request, of none, and after the end are nobody’s', () => {
  const assembler = createAssembler(9);
  expect(assembler.take(segment(0, 'a', { invokeId: 8 }))).toEqual({});
  expect(assembler.take(segment(3, 'late'))).toEqual({});
  expect(assembler.take(Buffer.from([0x3c, 9, 0]))).toEqual({});
  assembler.take(segment(0, 'a', { more: false }));
  expect(assembler.take(segment(0, 'a', { more: false }))).toEqual({});
});

test('sequence numbers go on after 255', () => {
  const assembler = createAssembler(9);
  let whole: Buffer | undefined;
  for (let n = 0; n < 300; n += 1) ({ whole } = assembler.take(segment(n & 0xff, 'ab', { more: n < 299 })));
  expect(whole).toHaveLength(603);
});

test('an answer without end is aborted for both sides', () => {
  const assembler = createAssembler(9);
  const abort = Buffer.from([0x70, 9, 1]);
  let step = {};
  for (let n = 0; n < 50; n += 1) {
    step = assembler.take(segment(n & 0xff, 'x'.repeat(1_400)));
    if ('whole' in step) break;
  }
  expect(step).toEqual({ reply: abort, whole: abort });
  expect(assembler.take(segment(43, 'x'))).toEqual({});
});

test('a window of none is a window of one', () => {
  const assembler = createAssembler(9);
  assembler.take(segment(0, 'a', { window: 0 }));
  expect(assembler.take(segment(1, 'b', { window: 0 }))).toEqual({ isNew: true, reply: ack(1, 1) });
});

/** A device that answers in segments, one each 60 ms, where an answer has 100 ms. */
async function trickle(parts: readonly string[]): Promise<string> {
  const station = createStation({
    ...{ place: { address: '10.0.0.5', port: 47_808 }, timeoutMs: 100 },
    send: () => undefined,
    onClosed: () => undefined,
  });
  const asking = station.request(12, [], (ack) => ack.toString()).catch((error: Error) => error.name);
  for (const [n, data] of parts.entries()) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    station.receive(segment(n, data, { more: n < parts.length - 1, invokeId: 1 }));
  }
  return asking;
}

test('a long answer may take its time as long as it comes on, and one that stands still may not', async () => {
  expect(await trickle(['a', 'b', 'c', 'd', 'e'])).toBe('abcde');
  expect(await trickle(['a', '', '', '', 'e'])).toBe('NoAnswer');
});

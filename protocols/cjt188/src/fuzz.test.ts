import { expect, test } from 'vitest';
import { type Asked, encodeFrame, findAnswer } from './frame.ts';
import { decodeField } from './layout.ts';
import { bytes } from './testing.ts';

const asked: Asked = {
  ...{ type: '10', address: '00001234567890', control: 0x01 },
  ...{ item: '901F', idOrder: 'low-first', serial: 7 },
};

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = createRandom(188_2004);
const below = (limit: number): number => Math.floor(random() * limit);

const dataOf = (id: string, volume: string): Uint8Array =>
  bytes(`${id} ${volume} 2C 00 00 00 00 2C 31 01 22 11 05 15 20 00 00`);
const sound = [
  encodeFrame({ ...asked, control: 0x81, data: dataOf('1F 90 07', '78 56 34 12') }),
  encodeFrame({
    ...asked,
    address: '00001234567891',
    control: 0x81,
    data: dataOf('1F 90 07', '99 99 99 99'),
  }),
  encodeFrame({ ...asked, type: '11', control: 0x81, data: dataOf('1F 90 07', '88 88 88 88') }),
  encodeFrame({ ...asked, control: 0x81, data: dataOf('1F 90 06', '77 77 77 77') }), // A late one.
  encodeFrame({ ...asked, control: 0xc1, data: bytes('07 00 00') }),
];

/** Anything may happen on a line: bytes bend, vanish and appear, telegrams meet. */
function bent(): Uint8Array {
  let text: Buffer = Buffer.concat(Array.from({ length: 1 + below(3) }, () => sound[below(sound.length)]!));
  for (let changes = 1 + below(4); changes > 0; changes -= 1) {
    const at = below(text.length);
    const kind = below(4);
    if (kind === 0) text[at] = below(256);
    else if (kind === 1) text = text.subarray(0, Math.max(1, at));
    else if (kind === 2) text = Buffer.concat([text.subarray(0, at), text.subarray(at + 1 + below(4))]);
    else
      text = Buffer.concat([text.subarray(0, at), Buffer.from([below(256), below(256)]), text.subarray(at)]);
    if (text.length === 0) text = Buffer.from([0x68]);
  }
  return text;
}

/** Every place where a sound telegram of our meter begins, told by hand. */
function isThere(text: Uint8Array, control: string, data: string): boolean {
  const hex = Buffer.from(text).toString('hex');
  const head = `681090785634120000${control}`;
  for (let at = hex.indexOf(head); at >= 0; at = hex.indexOf(head, at + 2)) {
    const from = at / 2;
    const end = from + 13 + (text[from + 10] ?? 0);
    if (end > text.length || text[end - 1] !== 0x16) continue;
    const sum = text.subarray(from, end - 2).reduce((total, byte) => total + byte, 0);
    if (sum % 256 === text[end - 2] && hex.slice(at + 22, at + 28).includes(data)) return true;
  }
  return false;
}

test('100,000 bent telegrams: no crash, and nothing taken of another meter, item or question', () => {
  const counted = { data: 0, refused: 0, none: 0 };
  for (let n = 0; n < 100_000; n += 1) {
    const text = bent();
    const answer = findAnswer(text, asked);
    counted[answer?.kind ?? 'none'] += 1;
    if (!answer) continue;
    const isSound = answer.kind === 'data' ? isThere(text, '81', '1f9007') : isThere(text, 'c1', '07');
    if (!isSound) expect(Buffer.from(text).toString('hex')).toBe('no answer');
    if (answer.kind !== 'data') continue;
    const raw = decodeField(answer.payload, '10', 'volume');
    if (raw.ok && [999999.99, 888888.88, 777777.77].includes(raw.value))
      expect(raw.value).toBe('a value of another meter or question');
  }
  // Sound telegrams among the bent ones are found, bent ones are not.
  expect(counted.data).toBeGreaterThan(5_000);
  expect(counted.refused).toBeGreaterThan(5_000);
  expect(counted.none).toBeGreaterThan(20_000);
}, 60_000);

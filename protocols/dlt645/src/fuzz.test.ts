import { expect, test } from 'vitest';
import { decodeItem, parseAddress } from './address.ts';
import { encodeFrame, findAnswer } from './frame.ts';
import { bytes } from './testing.ts';

const METER = '000000012345';
const ITEM = '0001FF00';

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
const random = createRandom(645_2007);
const below = (limit: number): number => Math.floor(random() * limit);

const sound = [
  encodeFrame({ address: METER, control: 0x91, data: bytes('00 FF 01 00 78 56 34 12 11 11 11 11') }),
  encodeFrame({ address: '000000012346', control: 0x91, data: bytes('00 FF 01 00 99 99 99 99 88 88 88 88') }),
  encodeFrame({ address: METER, control: 0x91, data: bytes('00 FF 02 00 77 77 77 77 66 66 66 66') }),
  encodeFrame({ address: METER, control: 0xd1, data: bytes('02') }),
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

/** Every place where a sound telegram begins, told by hand: our meter's answer for our item, or its refusal. */
function isThere(text: Uint8Array, control: number, item: string): boolean {
  const hex = Buffer.from(text).toString('hex');
  const head = `6845230100000068${control.toString(16)}`;
  for (let at = hex.indexOf(head); at >= 0; at = hex.indexOf(head, at + 2)) {
    const from = at / 2;
    const end = from + 12 + (text[from + 9] ?? 0);
    if (end > text.length || text[end - 1] !== 0x16) continue;
    const sum = text.subarray(from, end - 2).reduce((total, byte) => total + byte, 0);
    const id = Buffer.from(text.subarray(from + 10, from + 14).map((byte) => byte - 0x33)).reverse();
    if (sum % 256 === text[end - 2] && (control === 0xd1 || id.toString('hex').toUpperCase() === item))
      return true;
  }
  return false;
}

test('100,000 bent telegrams: no crash, and nothing taken of another meter or item', () => {
  const counted = { data: 0, refused: 0, none: 0 };
  const at = parseAddress(`${ITEM}/2`);
  for (let n = 0; n < 100_000; n += 1) {
    const text = bent();
    const answer = findAnswer(text, METER, ITEM);
    counted[answer?.kind ?? 'none'] += 1;
    if (!answer) continue;
    if (answer.kind === 'refused') {
      if (!isThere(text, 0xd1, ITEM)) expect(Buffer.from(text).toString('hex')).toBe('no refusal');
      continue;
    }
    const control = answer.hasMore ? 0xb1 : 0x91;
    if (!isThere(text, control, ITEM)) expect(Buffer.from(text).toString('hex')).toBe('no answer');
    const raw = decodeItem(answer.payload, at);
    if (raw.ok && [99999999.99, 88888888.88, 777777.77, 666666.66, 999999.99, 888888.88].includes(raw.value))
      expect(raw.value).toBe('a value of another meter or item');
  }
  // Sound telegrams among the bent ones are found, bent ones are not.
  expect(counted.data).toBeGreaterThan(5_000);
  expect(counted.refused).toBeGreaterThan(5_000);
  expect(counted.none).toBeGreaterThan(20_000);
}, 60_000);

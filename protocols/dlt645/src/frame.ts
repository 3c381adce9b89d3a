import { checkSum, hexOf, lowFirst, printed } from '@parkline/kit/meters';

/** A telegram of DL/T 645-2007 clause 5.2: 68 A0..A5 68 C L DATA CS 16. */
export interface Frame {
  /** 12 digits as printed on the meter: A5 first. */
  readonly address: string;
  readonly control: number;
  /** Without the 33H that each byte carries on the line. */
  readonly data: Uint8Array;
}

/** Control codes, clause 6 and 7: a question, and what the meter makes of it. */
export const controls = { read: 0x11, readNext: 0x12, readAddress: 0x13 } as const;
/** Added by the meter: it answers; it refuses; more follows. */
export const marks = { answer: 0x80, refusal: 0xc0, more: 0x20 } as const;

/** "Whoever is alone on the line", clause 5.2.2. */
export const ANYONE = 'AAAAAAAAAAAA';

const START = 0x68;
const END = 0x16;
const SHIFT = 0x33;
/** Wakes the receiver; clause 5.3.1. */
const PREAMBLE = [0xfe, 0xfe, 0xfe, 0xfe];
/** Bytes of a telegram besides its data. */
const FRAME = 12;
/** Longest data of an answer, clause 5.2.4. */
const MOST_DATA = 200;

/** The bytes of a telegram, with the preamble. */
export function encodeFrame({ address, control, data }: Frame): Uint8Array {
  const body = Uint8Array.from([
    ...[START, ...lowFirst(address), START, control, data.length],
    ...data.map((byte) => (byte + SHIFT) & 0xff),
  ]);
  return Uint8Array.from([...PREAMBLE, ...body, checkSum(body), END]);
}

/** All whole and sound telegrams in what was heard, in order. Preambles, noise and torn telegrams are passed over. */
export function findFrames(bytes: Uint8Array): Frame[] {
  const found: Frame[] = [];
  for (let at = 0; at + FRAME <= bytes.length;) {
    const frame = frameAt(bytes, at);
    if (frame) found.push(frame);
    at += frame ? FRAME + frame.data.length : 1;
  }
  return found;
}

function frameAt(bytes: Uint8Array, at: number): Frame | undefined {
  if (bytes[at] !== START || bytes[at + 7] !== START) return undefined;
  const length = bytes[at + 9]!;
  const end = at + FRAME + length;
  if (length > MOST_DATA || end > bytes.length || bytes[end - 1] !== END) return undefined;
  if (checkSum(bytes.subarray(at, end - 2)) !== bytes[end - 2]) return undefined;
  return {
    address: printed(bytes.subarray(at + 1, at + 7)),
    control: bytes[at + 8]!,
    data: bytes.slice(at + 10, end - 2).map((byte) => (byte - SHIFT) & 0xff),
  };
}

/** What the meter says to a question for a data item. */
export type Answer =
  | { readonly kind: 'data'; readonly payload: Uint8Array; readonly hasMore: boolean }
  | { readonly kind: 'refused'; readonly why: string };

/** Question for a data item; `sequence` 1..255 asks for a further part of it (clause 7.2). */
export function readQuestion(address: string, item: string, sequence = 0): Uint8Array {
  const id = lowFirst(item);
  return encodeFrame(
    sequence === 0
      ? { address, control: controls.read, data: id }
      : { address, control: controls.readNext, data: Uint8Array.from([...id, sequence]) },
  );
}

/**
 * The answer of this meter to this question for this item (and this part of it), if it was heard. A refusal names no item: the
 * question must be the only one open.
 */
export function findAnswer(
  bytes: Uint8Array,
  address: string,
  item: string,
  sequence = 0,
): Answer | undefined {
  const asked = sequence === 0 ? controls.read : controls.readNext;
  for (const frame of findFrames(bytes)) {
    if (frame.address !== address) continue;
    if (frame.control === (asked | marks.refusal) && frame.data.length === 1)
      return { kind: 'refused', why: refusalOf(frame.data[0]!) };
    if ((frame.control & ~marks.more) !== (asked | marks.answer)) continue;
    const tail = sequence === 0 ? 0 : 1;
    if (frame.data.length < 4 + tail || printed(frame.data.subarray(0, 4)) !== item) continue;
    if (tail && frame.data.at(-1) !== sequence) continue;
    const payload = frame.data.slice(4, frame.data.length - tail);
    return { kind: 'data', payload, hasMore: (frame.control & marks.more) !== 0 };
  }
  return undefined;
}

/** Question for the address of whoever is alone on the line (clause 7.3). */
export const addressQuestion = (): Uint8Array =>
  encodeFrame({ address: ANYONE, control: controls.readAddress, data: new Uint8Array(0) });

/** The address a meter answered with: the same in head and data, decimal digits throughout. */
export function findAddress(bytes: Uint8Array): string | undefined {
  return findFrames(bytes).find(
    ({ address, control, data }) =>
      control === (controls.readAddress | marks.answer) &&
      printed(data) === address &&
      /^\d{12}$/.test(address),
  )?.address;
}

/** Bits of the error byte, clause 7, table of ERR. */
const refusals = [
  'another error',
  'no such data in this meter',
  'password wrong or not authorised',
  'the baud rate cannot be changed',
  'too many year zones',
  'too many day slots',
  'too many rates',
];

function refusalOf(error: number): string {
  const said = refusals.filter((_, bit) => (error & (1 << bit)) !== 0);
  return `${said.join(', ') || 'refused'} (error ${hexOf([error])}H)`;
}

import { checkSum, hexOf, lowFirst, printed } from '@parkline/kit/meters';

/** A telegram of CJ/T 188: 68 T A0..A6 C L DATA CS 16. Unlike DL/T 645, its data goes as it is. */
export interface Frame {
  /** Kind of meter, 2 hex digits: 10 cold water, 11 hot water, 20 heat, 21 cold, 30 gas. */
  readonly type: string;
  /** 14 hex digits as printed: A6 first. The last ten are the meter's number, the first four the maker's code. */
  readonly address: string;
  readonly control: number;
  readonly data: Uint8Array;
}

/** Control codes: a question or an order; the meter adds 80H for its answer and C0H for a refusal. */
export const controls = { read: 0x01, readAddress: 0x03, write: 0x04 } as const;
const ANSWER = 0x80;
const REFUSAL = 0xc0;

/** "Whoever is alone on the line". */
export const ANY_ADDRESS = 'AAAAAAAAAAAAAA';
export const ANY_TYPE = 'AA';

const START = 0x68;
const END = 0x16;
const PREAMBLE = [0xfe, 0xfe, 0xfe, 0xfe];
/** Bytes of a telegram besides its data. */
const FRAME = 13;
/** Longest data of an answer. */
const MOST_DATA = 0x64;

/** The bytes of a telegram, with the preamble. */
export function encodeFrame({ type, address, control, data }: Frame): Uint8Array {
  const head = [START, Number.parseInt(type, 16), ...lowFirst(address), control, data.length];
  const body = Uint8Array.from([...head, ...data]);
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
  if (bytes[at] !== START) return undefined;
  const length = bytes[at + 10]!;
  const end = at + FRAME + length;
  if (length > MOST_DATA || end > bytes.length || bytes[end - 1] !== END) return undefined;
  if (checkSum(bytes.subarray(at, end - 2)) !== bytes[end - 2]) return undefined;
  return {
    type: hexOf([bytes[at + 1]!]),
    address: printed(bytes.subarray(at + 2, at + 9)),
    control: bytes[at + 9]!,
    data: bytes.slice(at + 11, end - 2),
  };
}

/**
 * Which byte of a data identifier goes first. Edition 2018 and most water meters send 901F as 1F 90; many heat meters and readers
 * of edition 2004 send 90 1F. A meter answers in the order it was asked.
 */
export type IdOrder = 'low-first' | 'high-first';

/** Whom a question is for and how it is told apart: kind, address, identifier and serial number come back in the answer. */
export interface Asked {
  readonly type: string;
  readonly address: string;
  readonly control: (typeof controls)[keyof typeof controls];
  /** DI1 DI0 as printed, 4 hex digits: 901F. */
  readonly item: string;
  readonly idOrder: IdOrder;
  /** SER, 0..255: another one for each question. */
  readonly serial: number;
}

const idOf = ({ item, idOrder }: Asked): Uint8Array =>
  idOrder === 'low-first' ? lowFirst(item) : Uint8Array.from(Buffer.from(item, 'hex'));

export function question(asked: Asked, data: readonly number[] = []): Uint8Array {
  return encodeFrame({ ...asked, data: Uint8Array.from([...idOf(asked), asked.serial, ...data]) });
}

export type Answer =
  | { readonly kind: 'data'; readonly address: string; readonly type: string; readonly payload: Uint8Array }
  | { readonly kind: 'refused'; readonly why: string };

/** The answer to this question and no other, if it was heard. */
export function findAnswer(bytes: Uint8Array, asked: Asked): Answer | undefined {
  const [first, second] = idOf(asked);
  for (const { type, address, control, data } of findFrames(bytes)) {
    const isWanted =
      (asked.address === ANY_ADDRESS || address === asked.address) &&
      (asked.type === ANY_TYPE || type === asked.type);
    if (!isWanted) continue;
    if (control === (asked.control | REFUSAL) && isRefusalOf(data, asked.serial))
      return { kind: 'refused', why: `refused (${hexOf(data)}H)` };
    if (control !== (asked.control | ANSWER)) continue;
    if (data[0] !== first || data[1] !== second || data[2] !== asked.serial) continue;
    return { kind: 'data', address, type, payload: data.slice(3) };
  }
  return undefined;
}

/** A refusal holds SER and the status; some meters put the identifier in front. */
const isRefusalOf = (data: Uint8Array, serial: number): boolean =>
  (data.length === 3 && data[0] === serial) || (data.length > 3 && data[2] === serial);

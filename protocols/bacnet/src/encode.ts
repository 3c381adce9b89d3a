import type { ObjectId } from './address.ts';
import { tags } from './tags.ts';

/** Octets of a message under construction. ASHRAE 135 clause 20.2. */
export type Octets = readonly number[];

const UNSIGNED_MOST = 2 ** 53;

/** As few octets as hold it. */
export function unsignedOctets(value: number): Octets {
  if (!(value >= 0 && value <= UNSIGNED_MOST)) throw new RangeError(`${value} is no unsigned number`);
  const octets = [value % 256];
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256))
    octets.unshift(rest % 256);
  return octets;
}

/** Two's complement in as few octets as hold it, at most four. */
export function signedOctets(value: number): Octets {
  let length = 1;
  while (length < 4 && (value < -(2 ** (8 * length - 1)) || value >= 2 ** (8 * length - 1))) length += 1;
  const octets = Buffer.alloc(length);
  octets.writeIntBE(value, 0, length);
  return [...octets];
}

export const objectOctets = ({ type, instance }: ObjectId): Octets => {
  const word = ((type << 22) | instance) >>> 0;
  return [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
};

function tagged(number: number, isContext: boolean, content: Octets): number[] {
  const first = (number << 4) | (isContext ? 8 : 0);
  const { length } = content;
  if (length < 5) return [first | length, ...content];
  if (length > 253) throw new RangeError(`a value of ${length} octets is too long`);
  return [first | 5, length, ...content];
}

/** @param number 0..14. */
export const context = (number: number, content: Octets): Octets => tagged(number, true, content);
export const contextUnsigned = (number: number, value: number): Octets =>
  context(number, unsignedOctets(value));
export const contextObject = (number: number, object: ObjectId): Octets =>
  context(number, objectOctets(object));
/** Octets between an opening and a closing tag. @param number 0..14. */
export const enclosed = (number: number, content: Octets): Octets => [
  (number << 4) | 0x0e,
  ...content,
  (number << 4) | 0x0f,
];

/** @param type Of {@link tags}: null, boolean, unsigned, signed, real, double or enumerated. */
export function application(type: number, value: number): Octets {
  switch (type) {
    case tags.null:
      return [0];
    case tags.boolean:
      return [(tags.boolean << 4) | (value === 0 ? 0 : 1)];
    case tags.unsigned:
    case tags.enumerated:
      return tagged(type, false, unsignedOctets(value));
    case tags.signed:
      return tagged(type, false, signedOctets(value));
    case tags.real:
    case tags.double: {
      const octets = Buffer.alloc(type === tags.real ? 4 : 8);
      if (type === tags.real) octets.writeFloatBE(value);
      else octets.writeDoubleBE(value);
      return tagged(type, false, [...octets]);
    }
    default:
      throw new RangeError(`no number is of type ${type}`);
  }
}

/** Dates, times, octet strings and bit strings: content as it goes out. */
export const applicationOctets = (type: number, content: Octets): Octets => tagged(type, false, content);

/** Content of a bit string, the first bit in the highest place of the first octet. */
export function bitOctets(values: readonly boolean[]): Octets {
  const octets = new Array<number>(Math.ceil(values.length / 8)).fill(0);
  values.forEach((value, bit) => {
    octets[bit >> 3]! |= Number(value) << (7 - (bit & 7));
  });
  return [octets.length * 8 - values.length, ...octets];
}

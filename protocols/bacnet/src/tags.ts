import type { ObjectId } from './address.ts';
import { textIn } from './text.ts';

/** Deepest nesting of the answers we ask for is 5, of a schedule's exceptions. */
const MOST_NESTED = 16;

/** Application tags, ASHRAE 135 clause 20.2.1.4. */
export const tags = {
  null: 0,
  boolean: 1,
  unsigned: 2,
  signed: 3,
  real: 4,
  double: 5,
  octets: 6,
  characters: 7,
  bits: 8,
  enumerated: 9,
  date: 10,
  time: 11,
  object: 12,
} as const;

/** A value with a tag of its own. `type` is one of {@link tags}, or {@link OTHER}. */
export interface PropertyValue {
  readonly type: number;
  /** Dates, times and octet strings as they came; bits from the first on. */
  readonly value: null | boolean | number | string | ObjectId | readonly boolean[] | Buffer;
}

/** Type of what is no primitive value: something put together, or of a type that does not exist. */
export const OTHER = -1;

/** Octets that are not what the standard allows there. */
export class Malformed extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'Malformed';
  }
}

/** Reads encoded data from front to back, clause 20.2.1. What is not there, or runs past the end, throws {@link Malformed}. */
export interface Reader {
  readonly isAtEnd: boolean;
  /** Whether a primitive value with a tag of its own comes next. */
  readonly isApplication: boolean;
  isOpening(number: number): boolean;
  isClosing(number: number): boolean;
  isContext(number: number): boolean;
  open(number: number): void;
  close(number: number): void;
  /** Content of the context tag. */
  context(number: number): Buffer;
  unsigned(number: number): number;
  boolean(number: number): boolean;
  object(number: number): ObjectId;
  bits(number: number): readonly boolean[];
  characters(number: number): string;
  /** The value of the application tag. */
  value(): PropertyValue;
  /** The values between the opening tag and its closing one. */
  held(number: number): HeldValues;
  /** Content between the opening tag and its closing one, all tags of it inside and closed. */
  enclosed(number: number): Buffer;
  /** Goes over one element, whatever is in it. */
  skip(): void;
}

/** What a property or the like holds. */
export interface HeldValues {
  /** One for each element; what is put together counts as one of {@link OTHER}. */
  readonly values: readonly PropertyValue[];
  /** The octets as they came, where something is put together; empty where all is in the values. */
  readonly encoded: Buffer;
}

const NO_OCTETS = Buffer.alloc(0);
const kinds = { application: 0, context: 1, opening: 2, closing: 3 } as const;

export function createReader(data: Buffer): Reader {
  let at = 0;
  // The tag at `at`, once it was looked at.
  let seenAt = -1;
  let number = 0;
  let kind = 0;
  let from = 0;
  let end = 0;

  const cut = (): never => {
    throw new Malformed(`a tag runs past the end at octet ${at}`);
  };

  /** Lengths of 5 and more, clause 20.2.1.3.1. */
  function lengthAt(octet: number): number {
    const first = data[octet];
    if (first === undefined) return cut();
    from = octet + 1;
    if (first < 254) return first;
    const size = first === 254 ? 2 : 4;
    if (from + size > data.length) return cut();
    const length = data.readUIntBE(from, size);
    from += size;
    return length;
  }

  /** @returns whether there is a tag. */
  function look(): boolean {
    if (seenAt === at) return true;
    const first = data[at];
    if (first === undefined) return false;
    const isExtended = first >> 4 === 15;
    number = isExtended ? (data[at + 1] ?? cut()) : first >> 4;
    from = at + (isExtended ? 2 : 1);
    const isContext = (first & 8) !== 0;
    const low = first & 7;
    if (low >= 6) {
      if (!isContext) throw new Malformed(`no length ${low} at octet ${at}`);
      kind = low === 6 ? kinds.opening : kinds.closing;
      end = from;
    } else {
      kind = isContext ? kinds.context : kinds.application;
      const isBoolean = !isContext && number === tags.boolean; // Its value is in its tag, clause 20.2.3.
      if (isBoolean && low > 1) throw new Malformed(`no boolean ${low} at octet ${at}`);
      end = isBoolean ? from : (low === 5 ? lengthAt(from) : low) + from;
      if (end > data.length) return cut();
    }
    seenAt = at;
    return true;
  }

  const is = (wantedKind: number, wanted: number): boolean =>
    look() && kind === wantedKind && number === wanted;
  function pass(wantedKind: number, wanted: number): void {
    if (!is(wantedKind, wanted)) throw new Malformed(`no tag ${wanted} at octet ${at}`);
    at = end;
  }
  function context(wanted: number): Buffer {
    pass(kinds.context, wanted);
    return data.subarray(from, end);
  }

  function value(): PropertyValue {
    if (!look() || kind !== kinds.application) throw new Malformed(`no value at octet ${at}`);
    const isTrue = (data[at]! & 1) === 1;
    at = end;
    if (number === tags.boolean) return { type: tags.boolean, value: isTrue };
    return { type: number, value: primitive(number, data, from, end) };
  }

  function skipped(): PropertyValue {
    skip();
    return { type: OTHER, value: null };
  }

  function skip(): void {
    for (const open: number[] = []; ;) {
      if (!look()) throw new Malformed('an opened tag is not closed');
      if (kind === kinds.opening && open.push(number) > MOST_NESTED) throw new Malformed('nested too deep');
      if (kind === kinds.closing && open.pop() !== number)
        throw new Malformed(`tag ${number} was never opened`);
      at = end;
      if (open.length === 0) return;
    }
  }

  return {
    get isAtEnd() {
      return at >= data.length;
    },
    get isApplication() {
      return look() && kind === kinds.application;
    },
    isOpening: (wanted) => is(kinds.opening, wanted),
    isClosing: (wanted) => is(kinds.closing, wanted),
    isContext: (wanted) => is(kinds.context, wanted),
    open: (wanted) => pass(kinds.opening, wanted),
    close: (wanted) => pass(kinds.closing, wanted),
    context,
    unsigned: (wanted) => unsignedIn(context(wanted)),
    boolean: (wanted) => unsignedIn(context(wanted)) !== 0,
    object: (wanted) => objectIn(context(wanted)),
    bits: (wanted) => bitsIn(context(wanted)),
    characters: (wanted) => textIn(context(wanted)),
    value,
    held(wanted) {
      pass(kinds.opening, wanted);
      const began = at;
      const values: PropertyValue[] = [];
      let isFlat = true;
      while (!is(kinds.closing, wanted)) {
        const isValue = look() && kind === kinds.application;
        isFlat &&= isValue;
        values.push(isValue ? value() : skipped());
      }
      const encoded = isFlat ? NO_OCTETS : data.subarray(began, at);
      pass(kinds.closing, wanted);
      return { values, encoded };
    },
    enclosed(wanted) {
      if (!is(kinds.opening, wanted)) throw new Malformed(`no opening tag ${wanted} at octet ${at}`);
      const began = end;
      skip();
      return data.subarray(began, at - (wanted < 15 ? 1 : 2));
    },
    skip,
  };
}

/** The values one after another; what is put together counts as one of {@link OTHER}. @throws Malformed. */
export function valuesIn(data: Buffer): PropertyValue[] {
  const reader = createReader(data);
  const values: PropertyValue[] = [];
  while (!reader.isAtEnd) {
    if (reader.isApplication) values.push(reader.value());
    else {
      reader.skip();
      values.push({ type: OTHER, value: null });
    }
  }
  return values;
}

function primitive(type: number, data: Buffer, from: number, end: number): PropertyValue['value'] {
  const length = end - from;
  const least = lengths[type];
  if (least !== undefined && length !== least)
    throw new Malformed(`${length} octets in a value of type ${type}`);
  switch (type) {
    case tags.null:
      return null;
    case tags.real:
      return data.readFloatBE(from);
    case tags.double:
      return data.readDoubleBE(from);
    case tags.unsigned:
    case tags.enumerated:
      return unsignedIn(data.subarray(from, end));
    case tags.signed:
      return signedIn(data.subarray(from, end));
    case tags.characters:
      return textIn(data.subarray(from, end));
    case tags.bits:
      return bitsIn(data.subarray(from, end));
    case tags.object:
      return objectIn(data.subarray(from, end));
    default:
      return data.subarray(from, end);
  }
}

/** Lengths of the types that have only one, octets. */
const lengths: Readonly<Record<number, number>> = {
  [tags.null]: 0,
  [tags.real]: 4,
  [tags.double]: 8,
  [tags.date]: 4,
  [tags.time]: 4,
  [tags.object]: 4,
};

/** Up to 8 octets; what a number cannot hold exactly comes out as the nearest one that is no safe integer. */
function unsignedIn(content: Buffer): number {
  const { length } = content;
  if (length < 1 || length > 8) throw new Malformed(`${length} octets in an unsigned`);
  return length <= 6
    ? content.readUIntBE(0, length)
    : content.readUIntBE(0, length - 4) * 2 ** 32 + content.readUInt32BE(length - 4);
}

export function signedIn(content: Buffer): number {
  const { length } = content;
  if (length < 1 || length > 8) throw new Malformed(`${length} octets in a signed`);
  return length <= 6
    ? content.readIntBE(0, length)
    : content.readIntBE(0, length - 4) * 2 ** 32 + content.readUInt32BE(length - 4);
}

function objectIn(content: Buffer): ObjectId {
  if (content.length !== 4) throw new Malformed('an object identifier has 4 octets');
  const word = content.readUInt32BE();
  return { type: word >>> 22, instance: word & 0x3f_ffff };
}

/** The first octet says how many bits of the last are unused, clause 20.2.10. */
function bitsIn(content: Buffer): boolean[] {
  const unused = content[0] ?? 8;
  const count = (content.length - 1) * 8 - unused;
  if (unused > 7 || count < 0) throw new Malformed('a bit string without bits');
  const bits: boolean[] = [];
  for (let bit = 0; bit < count; bit += 1)
    bits.push(((content[1 + (bit >> 3)]! >> (7 - (bit & 7))) & 1) === 1);
  return bits;
}

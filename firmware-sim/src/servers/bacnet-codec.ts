/** Octets of a message under construction, and a reader of received ones. ASHRAE 135 clause 20.2. */
export type Octets = readonly number[];

/** A message that is not BACnet as the standard has it. The device rejects it and goes on. */
export class Malformed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Malformed';
  }
}

/** Application tag numbers, clause 20.2.1.4. */
export const tags = {
  ...{ null: 0, boolean: 1, unsigned: 2, signed: 3, real: 4, octets: 6, characters: 7 },
  ...{ bits: 8, enumerated: 9, date: 10, time: 11, object: 12 },
} as const;

export const unsignedOctets = (value: number): number[] => {
  const octets = [value & 0xff];
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256))
    octets.unshift(rest & 0xff);
  return octets;
};

/** Type in the upper 10 bits, instance in the lower 22. */
export const objectOctets = (type: number, instance: number): number[] => {
  const word = ((type << 22) | instance) >>> 0;
  return [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff];
};

function primitive(number: number, isContext: boolean, content: Octets): number[] {
  const first = (number << 4) | (isContext ? 8 : 0);
  if (content.length < 5) return [first | content.length, ...content];
  if (content.length > 253) throw new Error(`no simulated value is ${content.length} octets long`);
  return [first | 5, content.length, ...content];
}

/** An application value as it was read. */
export const tagged = ({ tag, content }: { readonly tag: number; readonly content: Buffer }): number[] =>
  primitive(tag, false, [...content]);
export const context = (number: number, content: Octets): number[] => primitive(number, true, content);
export const opening = (number: number): number => (number << 4) | 0x0e;
export const closing = (number: number): number => (number << 4) | 0x0f;

export const boolean = (value: boolean): number[] => [(tags.boolean << 4) | Number(value)];
export const unsigned = (value: number): number[] => primitive(tags.unsigned, false, unsignedOctets(value));
export const enumerated = (value: number): number[] =>
  primitive(tags.enumerated, false, unsignedOctets(value));
export const objectId = (type: number, instance: number): number[] =>
  primitive(tags.object, false, objectOctets(type, instance));
export const characters = (text: string): number[] =>
  primitive(tags.characters, false, [0, ...Buffer.from(text, 'utf8')]);

export function realOctets(value: number): number[] {
  const octets = Buffer.alloc(4);
  octets.writeFloatBE(value);
  return [...octets];
}
export const real = (value: number): number[] => primitive(tags.real, false, realOctets(value));

/** 16 bits, as much as the simulated values need. */
export const signed = (value: number): number[] =>
  primitive(tags.signed, false, [(value >> 8) & 0xff, value & 0xff]);
export const nothing: Octets = [0];

/** @param local Unix ms as if the clock showed UTC. Day of the week from Monday as 1. */
export function date(local: number): number[] {
  const at = new Date(local);
  const day = at.getUTCDay();
  const octets = [at.getUTCFullYear() - 1900, at.getUTCMonth() + 1, at.getUTCDate(), day === 0 ? 7 : day];
  return primitive(tags.date, false, octets);
}
export function time(local: number): number[] {
  const at = new Date(local);
  const hundredths = Math.floor(at.getUTCMilliseconds() / 10);
  return primitive(tags.time, false, [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), hundredths]);
}

/** First bit in the highest place of the first octet; the first octet says how many bits of the last are unused. */
export const bits = (values: readonly boolean[]): number[] => primitive(tags.bits, false, bitOctets(values));
export function bitOctets(values: readonly boolean[]): number[] {
  const octets = new Array<number>(Math.ceil(values.length / 8)).fill(0);
  values.forEach((value, index) => {
    octets[index >> 3]! |= Number(value) << (7 - (index & 7));
  });
  return [octets.length * 8 - values.length, ...octets];
}

/** Reads the service data of a request from front to back. Every method throws Malformed when it is not there. */
export interface Reader {
  readonly isAtEnd: boolean;
  /** Whether the next tag is this context tag (primitive). */
  hasContext(number: number): boolean;
  hasClosing(number: number): boolean;
  unsigned(number: number): number;
  object(number: number): { type: number; instance: number };
  open(number: number): void;
  close(number: number): void;
  hasOpening(number: number): boolean;
  /** An application value: its tag number and content (of a boolean 0 or 1). */
  application(): { readonly tag: number; readonly content: Buffer };
}

export function createReader(octets: Buffer): Reader {
  let at = 0;
  const peek = (): number => octets[at] ?? -1;
  const isContext = (number: number): boolean =>
    peek() >= 0 && peek() >> 4 === number && (peek() & 8) !== 0 && (peek() & 7) < 6;

  function content(number: number): Buffer {
    if (!isContext(number)) throw new Malformed(`no context tag ${number} at octet ${at}`);
    const short = peek() & 7;
    const length = short === 5 ? octets[at + 1] : short;
    const from = at + (short === 5 ? 2 : 1);
    if (length === undefined || length > 4 || from + length > octets.length)
      throw new Malformed(`tag ${number} runs past the end`);
    at = from + length;
    return octets.subarray(from, at);
  }
  function expect(octet: number, what: string): void {
    if (peek() !== octet) throw new Malformed(`no ${what} tag at octet ${at}`);
    at += 1;
  }

  return {
    get isAtEnd() {
      return at >= octets.length;
    },
    hasContext: isContext,
    hasClosing: (number) => peek() === closing(number),
    unsigned: (number) => content(number).reduce((sum, octet) => sum * 256 + octet, 0),
    object(number) {
      const word = content(number);
      if (word.length !== 4) throw new Malformed('an object identifier has 4 octets');
      return { type: word.readUInt32BE() >>> 22, instance: word.readUInt32BE() & 0x3f_ffff };
    },
    hasOpening: (number) => peek() === opening(number),
    application() {
      const [first, short] = [peek(), peek() & 7];
      if (first < 0 || (first & 8) !== 0 || short > 5) throw new Malformed(`no value at octet ${at}`);
      const tag = first >> 4;
      if (tag === tags.boolean) {
        at += 1;
        return { tag, content: Buffer.from([short]) };
      }
      const length = short === 5 ? octets[at + 1] : short;
      const from = at + (short === 5 ? 2 : 1);
      if (length === undefined || from + length > octets.length)
        throw new Malformed('a value runs past the end');
      at = from + length;
      return { tag, content: octets.subarray(from, at) };
    },
    open: (number) => expect(opening(number), `opening ${number}`),
    close: (number) => expect(closing(number), `closing ${number}`),
  };
}

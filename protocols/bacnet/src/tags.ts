/** Deepest nesting of the answers we ask for is 3. */
const MOST_NESTED = 16;
/** Octets of a number; longer ones do not fit the readers behind this check. */
const LONGEST_NUMBER = 6;

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

/** A tag at its place: `content` is empty for opening and closing tags. */
export interface Tag {
  readonly number: number;
  readonly kind: 'application' | 'context' | 'opening' | 'closing';
  readonly content: Buffer;
  /** Octet after the tag and its content. */
  readonly end: number;
}

/** The tag at an octet, clause 20.2.1; undefined when it runs past the end or does not exist. */
export function readTag(data: Buffer, at: number): Tag | undefined {
  const first = data[at];
  if (first === undefined) return undefined;
  const isExtended = first >> 4 === 15;
  const number = isExtended ? data[at + 1] : first >> 4;
  let from = at + (isExtended ? 2 : 1);
  if (number === undefined || from > data.length) return undefined;
  const isContext = (first & 8) !== 0;
  const low = first & 7;
  if (low >= 6) {
    if (!isContext) return undefined;
    return { number, kind: low === 6 ? 'opening' : 'closing', content: data.subarray(from, from), end: from };
  }
  // The value of a boolean is in its tag, clause 20.2.3.
  if (!isContext && number === tags.boolean) {
    return low > 1
      ? undefined
      : { number, kind: 'application', content: data.subarray(at, at + 1), end: from };
  }
  let length = low;
  if (low === 5) {
    const extra = lengthAt(data, from);
    if (!extra) return undefined;
    ({ length } = extra);
    from = extra.end;
  }
  const end = from + length;
  if (end > data.length) return undefined;
  return { number, kind: isContext ? 'context' : 'application', content: data.subarray(from, end), end };
}

/** A length of 5 and more, clause 20.2.1.3.1. */
function lengthAt(data: Buffer, at: number): { length: number; end: number } | undefined {
  const first = data[at];
  if (first === undefined) return undefined;
  if (first < 254) return { length: first, end: at + 1 };
  const size = first === 254 ? 2 : 4;
  if (at + 1 + size > data.length) return undefined;
  return { length: data.readUIntBE(at + 1, size), end: at + 1 + size };
}

/** Lengths that the standard allows an application value of each type; those absent may have any. */
const lengths: Readonly<Record<number, readonly [least: number, most: number]>> = {
  [tags.null]: [0, 0],
  [tags.unsigned]: [1, LONGEST_NUMBER],
  [tags.signed]: [1, LONGEST_NUMBER],
  [tags.real]: [4, 4],
  [tags.double]: [8, 8],
  [tags.characters]: [1, Infinity],
  [tags.bits]: [1, Infinity],
  [tags.enumerated]: [1, LONGEST_NUMBER],
  [tags.date]: [4, 4],
  [tags.time]: [4, 4],
  [tags.object]: [4, 4],
};

/** Whether every tag lies inside the data, has a length its type may have, and is closed where it was opened. */
export function isWellFormed(data: Buffer): boolean {
  const open: number[] = [];
  for (let at = 0; at < data.length;) {
    const tag = readTag(data, at);
    if (!tag) return false;
    at = tag.end;
    if (tag.kind === 'opening') {
      if (open.push(tag.number) > MOST_NESTED) return false;
    } else if (tag.kind === 'closing') {
      if (open.pop() !== tag.number) return false;
    } else if (tag.kind === 'application') {
      const [least, most] = lengths[tag.number] ?? [0, Infinity];
      const { length } = tag.content;
      if (tag.number !== tags.boolean && (length < least || length > most)) return false;
    }
  }
  return open.length === 0;
}

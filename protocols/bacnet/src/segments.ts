import { pduTypes } from './datagram.ts';

/** Segments we take before we acknowledge. */
const WINDOW = 16;
/** Longest answer we put together, octets; the reader behind counts in 16 bits. */
const LONGEST = 60_000;
const BUFFER_OVERFLOW = 1;

/** What to do about a segment: an APDU to send back, and a whole answer when it is complete. */
export interface Step {
  /** It brought octets that were not there before. */
  readonly isNew?: true;
  readonly reply?: Buffer;
  readonly whole?: Buffer;
}

/** Puts the segments of one answer together. Clause 5.4.4.4, SEGMENTED_CONF. */
export interface Assembler {
  /** @param segment A ComplexACK with the segmentation bit. */
  take(segment: Buffer): Step;
}

/**
 * One for each request: nothing of one answer can reach another. Segments come in order or are asked for again.
 * @param invokeId Of the request; segments of any other are ignored.
 */
export function createAssembler(invokeId: number): Assembler {
  const parts: Buffer[] = [];
  let length = 0;
  let sinceAck = 0;
  let isDone = false;

  const acknowledge = (isNegative: boolean, window: number): Buffer =>
    Buffer.from([
      (pduTypes.segmentAck << 4) | (isNegative ? 2 : 0),
      invokeId,
      Math.max(0, parts.length - 1) & 0xff,
      window,
    ]);

  return {
    take(segment) {
      if (segment.length < 5 || segment[1] !== invokeId || isDone) return {};
      const window = Math.min(Math.max(1, segment[3]!), WINDOW);
      if (segment[2] !== (parts.length & 0xff)) {
        if (parts.length === 0) return {};
        // What we have already is acknowledged again, a gap is asked for.
        const behind = (parts.length - segment[2]!) & 0xff;
        return { reply: acknowledge(behind > window, window) };
      }
      parts.push(segment.subarray(5));
      length += segment.length - 5;
      const abort = Buffer.from([pduTypes.abort << 4, invokeId, BUFFER_OVERFLOW]);
      if (length > LONGEST) {
        isDone = true;
        return { reply: abort, whole: abort };
      }
      const hasMore = (segment[0]! & 4) !== 0;
      sinceAck += 1;
      const isDue = !hasMore || parts.length === 1 || sinceAck >= window;
      if (isDue) sinceAck = 0;
      isDone = !hasMore;
      const head = Buffer.from([pduTypes.complexAck << 4, invokeId, segment[4]!]);
      return {
        ...(segment.length > 5 ? { isNew: true as const } : {}),
        ...(isDue ? { reply: acknowledge(false, window) } : {}),
        ...(isDone ? { whole: Buffer.concat([head, ...parts]) } : {}),
      };
    },
  };
}

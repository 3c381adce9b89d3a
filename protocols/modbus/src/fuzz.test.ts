import { expect, test } from 'vitest';
import { decodePoint } from './codec.ts';
import { parseAddress } from './address.ts';
import { createMbapFramer, createRtuFramer, crc16, type Framer } from './frame.ts';
import { readOf } from './requests.ts';

const START = 100;
const COUNT = 30;
const UNIT = 17;

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
const random = createRandom(20_261_122);
const below = (limit: number): number => Math.floor(random() * limit);

/** Registers whose 15 numbers resemble each other nowhere. */
const registers = Buffer.from(Array.from({ length: COUNT * 2 }, () => below(256)));
const points = Array.from({ length: COUNT / 2 }, (_, n) => {
  const text = `hr:${START + 2 * n}:u32`;
  const ref = { pointId: text, address: text, scale: 1, kind: 'gauge' } as const;
  return { ref, address: parseAddress(text), value: registers.readUInt32BE(4 * n) };
});

function rtuFrame(pdu: Buffer): Buffer {
  const body = Buffer.concat([Buffer.of(UNIT), pdu]);
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc16(body));
  return Buffer.concat([body, check]);
}
const tcpFrame = (pdu: Buffer, transaction: number): Buffer =>
  Buffer.concat([
    Buffer.of(transaction >> 8, transaction & 255, 0, 0, (pdu.length + 1) >> 8, (pdu.length + 1) & 255, UNIT),
    pdu,
  ]);

/** Octets flipped and set. */
function flipped(frame: Buffer): Buffer {
  const bent = Buffer.from(frame);
  for (let changes = 1 + below(3); changes > 0; changes -= 1) {
    const at = below(bent.length);
    bent[at] = below(2) === 0 ? bent[at]! ^ (1 << below(8)) : below(256);
  }
  return bent;
}
const noise = (): Buffer => Buffer.from(Array.from({ length: 1 + below(6) }, () => below(256)));

/** What a device on TCP may do: bend, cut short, add at either end. TCP itself takes nothing out and puts nothing in. */
function bentOnTcp(frame: Buffer): Buffer {
  const bent = below(3) === 0 ? frame : flipped(frame);
  const kind = below(4);
  if (kind === 0) return bent.subarray(0, 1 + below(bent.length));
  if (kind === 1) return Buffer.concat([bent, noise()]);
  return kind === 2 ? Buffer.concat([noise(), bent]) : flipped(bent);
}

/** What may happen on a line: anything, several times. */
function bentOnLine(frame: Buffer): Buffer {
  let bent: Buffer = Buffer.from(frame);
  for (let changes = 1 + below(3); changes > 0; changes -= 1) {
    const at = below(bent.length);
    const kind = below(4);
    if (kind === 0) bent = flipped(bent);
    else if (kind === 1) bent = bent.subarray(0, Math.max(1, at));
    else if (kind === 2) bent = Buffer.concat([bent.subarray(0, at), bent.subarray(at + 1 + below(4))]);
    else bent = Buffer.concat([bent.subarray(0, at), noise(), bent.subarray(at)]);
  }
  return bent;
}

/** The frames of a run, in pieces as a network may deliver them. */
function answerOf(framer: Framer, frame: Buffer): Uint8Array | undefined {
  for (let at = 0; at < frame.length;) {
    const size = below(4) === 0 ? 1 + below(9) : frame.length;
    const parsed = framer.push(frame.subarray(at, at + size));
    at += size;
    if (parsed.kind === 'data') return parsed.data;
  }
  return undefined;
}

const pdu = Buffer.concat([Buffer.of(3, COUNT * 2), registers]);

test.each([
  ['TCP', createMbapFramer, bentOnTcp],
  ['RTU', createRtuFramer, bentOnLine],
] as const)(
  '%s: 50,000 bent answers: no crash, and no value on a wrong point',
  (name, create, bend) => {
    let taken = 0;
    for (let n = 0; n < 50_000; n += 1) {
      const framer = create();
      const asked = Buffer.from(framer.encode(readOf({ unit: UNIT, fc: 3, start: START, count: COUNT })));
      const good = name === 'TCP' ? tcpFrame(pdu, asked.readUInt16BE(0)) : rtuFrame(pdu);
      const data = answerOf(framer, bend(good));
      if (!data) continue;
      taken += 1;
      expect(data).toHaveLength(COUNT * 2);
      for (const [at, { ref, address, value }] of points.entries()) {
        const decoded = decodePoint(data, START, address, ref);
        if (!decoded.ok || decoded.value === value) continue;
        // A line's check sum lets nothing bent through (one in 65,536 would be by chance: not with this seed). TCP has its own below.
        expect(name).toBe('TCP');
        const other = points.findIndex((point, m) => m !== at && point.value === decoded.value);
        expect([ref.pointId, other]).toEqual([ref.pointId, -1]);
      }
    }
    expect(taken).toBeGreaterThan(name === 'TCP' ? 1_000 : 0); // Bent after its end, or on TCP in its values.
  },
  60_000,
);

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ReadFunction } from './address.ts';
import { decodeRaw } from './codec.ts';
import { createMbapFramer } from './frame.ts';
import { readOf } from './requests.ts';

const MODBUS_PORT = 502;

interface Frame {
  readonly isRequest: boolean;
  readonly bytes: Buffer;
}

/** Modbus frames of a little-endian Ethernet capture, in order. */
function framesOf(pcap: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 24; at + 16 <= pcap.length;) {
    const length = pcap.readUInt32LE(at + 8);
    const packet = pcap.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (packet.readUInt16BE(12) !== 0x0800 || packet[23] !== 6) continue;
    const ip = packet.subarray(14, 14 + packet.readUInt16BE(16));
    const tcp = ip.subarray((ip[0]! & 15) * 4);
    const bytes = tcp.subarray((tcp[12]! >> 4) * 4);
    const ports = [tcp.readUInt16BE(0), tcp.readUInt16BE(2)];
    if (bytes.length >= 8 && ports.includes(MODBUS_PORT))
      frames.push({ isRequest: ports[1] === MODBUS_PORT, bytes });
  }
  return frames;
}

const frames = framesOf(readFileSync(join(import.meta.dirname, '../fixtures/modbus_example.pcap')));
const reads = frames.flatMap(({ isRequest, bytes: request }, at) => {
  if (!isRequest || request[7]! > 4) return [];
  // Several connections count from the same number: the answer is the next frame with it.
  const next = frames.slice(at + 1).find(({ bytes }) => bytes.readUInt16BE(0) === request.readUInt16BE(0));
  return [{ request, reply: next?.isRequest ? undefined : next?.bytes }];
});

test('the capture has reads of all four tables and a refusal', () => {
  expect(new Set(reads.map(({ request }) => request[7]))).toEqual(new Set([1, 2, 3, 4]));
  expect(reads.some(({ reply }) => reply && reply[7]! > 0x80)).toBe(true);
});

test.each(reads.map(({ request, reply }) => ({ asked: request.toString('hex'), request, reply })))(
  'asks like the recorded client and reads what the recorded device answered: $asked',
  ({ request, reply }) => {
    const framer = createMbapFramer();
    const fc = request[7] as ReadFunction;
    const [start, count] = [request.readUInt16BE(8), request.readUInt16BE(10)];
    const ours = framer.encode(readOf({ unit: request[6]!, fc, start, count }));
    expect(Buffer.from(ours.subarray(2)).toString('hex')).toBe(request.subarray(2).toString('hex'));
    if (!reply) return; // The recording ends before the answer.
    const answer = Uint8Array.of(ours[0]!, ours[1]!, ...reply.subarray(2));
    const parsed = framer.push(answer);
    if (reply[7]! > 0x80) return void expect(parsed).toEqual({ kind: 'exception', code: reply[8] });
    if (parsed.kind !== 'data') throw new Error(`${parsed.kind} in place of data`);
    for (let offset = 0; offset < count; offset += 1) {
      const type = fc <= 2 ? 'bit' : 'u16';
      const recorded =
        fc <= 2 ? (reply[9 + (offset >> 3)]! >> (offset & 7)) & 1 : reply.readUInt16BE(9 + 2 * offset);
      const decoded = decodeRaw(parsed.data, offset, { fc, start, count: 1, type, order: 'ABCD', bit: 0 });
      expect(decoded).toEqual({ ok: true, value: recorded });
    }
  },
);

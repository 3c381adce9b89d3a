import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReadFunction } from './address.ts';
import type { Parsed } from './answer.ts';
import { decodeRaw } from './codec.ts';
import { createMbapFramer } from './frame.ts';
import {
  maskRegister,
  readIdentification,
  readOf,
  reportServerId,
  type Request,
  writeCoil,
  writeCoils,
  writeRegister,
  writeRegisters,
} from './requests.ts';

const MODBUS_PORT = 502;
const folder = join(import.meta.dirname, '../fixtures');

/** One frame as Wireshark's dissector reads it, by column. */
type Facts = Readonly<Record<string, string>>;

/** TCP payloads of a little-endian Ethernet capture, by frame number. */
function payloadsOf(pcap: Buffer): Map<number, Buffer> {
  const payloads = new Map<number, Buffer>();
  for (let at = 24, number = 1; at + 16 <= pcap.length; number += 1) {
    const length = pcap.readUInt32LE(at + 8);
    const packet = pcap.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (packet.readUInt16BE(12) !== 0x0800 || packet[23] !== 6) continue;
    const ip = packet.subarray(14, 14 + packet.readUInt16BE(16));
    const tcp = ip.subarray((ip[0]! & 15) * 4);
    payloads.set(number, tcp.subarray((tcp[12]! >> 4) * 4));
  }
  return payloads;
}

function factsOf(tsv: string): Facts[] {
  const [head = '', ...lines] = tsv.split('\n').filter(Boolean);
  const columns = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((text, at) => [columns[at]!, text])));
}

const list = (text: string | undefined): number[] => (text ? text.split(',').map(Number) : []);
const octets = (text: string | undefined): Buffer => Buffer.from((text ?? '').replaceAll(':', ''), 'hex');
const words = (values: readonly number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((word) => [word >> 8, word & 255]));

/** The request with this meaning, as this driver asks it; undefined for what it never asks. */
function requestOf(facts: Facts): Request | undefined {
  const number = (column: string): number => Number(facts[`modbus.${column}`]);
  const unit = Number(facts['mbtcp.unit_id']);
  const fc = number('func_code');
  const start = number('reference_num');
  const data = octets(facts['modbus.data']);
  const bitCount = number('bit_cnt');
  switch (fc) {
    case 1:
    case 2:
      return readOf({ unit, fc, start, count: bitCount });
    case 3:
    case 4:
      return readOf({ unit, fc, start, count: number('word_cnt') });
    case 5:
      return writeCoil(unit, start, data[0] === 0xff);
    case 6:
      return writeRegister(unit, start, data);
    case 15:
      return writeCoils(
        unit,
        start,
        Array.from({ length: bitCount }, (_, at) => ((data[at >> 3]! >> (at & 7)) & 1) === 1),
      );
    case 16:
      return writeRegisters(unit, start, words(list(facts['modbus.regval_uint16'])));
    case 17:
      return reportServerId(unit);
    case 22:
      return maskRegister(unit, start, number('and_mask'), number('or_mask'));
    case 43:
      return readIdentification(unit, number('read_device_id') as 1 | 2 | 3, number('object_id'));
    default:
      return undefined;
  }
}

/** What the answer shows by the driver's decoder, in the dissector's words. */
function shownBy(parsed: Parsed, asked: Facts): Partial<Facts> {
  if (parsed.kind === 'exception') return { 'modbus.exception_code': String(parsed.code) };
  if (parsed.kind !== 'data') throw new Error(`${parsed.kind} in place of an answer`);
  const fc = Number(asked['modbus.func_code']);
  const { data } = parsed;
  if (fc <= 4) {
    const count = Number(asked[fc <= 2 ? 'modbus.bit_cnt' : 'modbus.word_cnt']);
    const type = fc <= 2 ? 'bit' : 'u16';
    const values = Array.from({ length: count }, (_, at) => {
      const address = { fc: fc as ReadFunction, start: at, count: 1, type, order: 'ABCD', bit: 0 } as const;
      const decoded = decodeRaw(data, at, address);
      return decoded.ok ? decoded.value : decoded.why;
    });
    return { [fc <= 2 ? 'modbus.bitval' : 'modbus.regval_uint16']: values.join() };
  }
  if (fc === 17) return { 'modbus.data': Buffer.of(data.length, ...data).toString('hex') };
  if (fc !== 43) return {};
  const texts: string[] = [];
  for (let at = 6; at < data.length; at += 2 + data[at + 1]!)
    texts.push(Buffer.from(data.subarray(at + 2, at + 2 + data[at + 1]!)).toString());
  return { 'modbus.object_str_value': texts.join() };
}

const captures = readdirSync(folder)
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => {
    const payloads = payloadsOf(readFileSync(join(folder, name)));
    const frames = factsOf(readFileSync(join(folder, name.replace(/pcap$/, 'tshark.tsv')), 'utf8'));
    const asked = frames.filter((facts) => facts['tcp.dstport'] === String(MODBUS_PORT));
    const exchanges = asked.flatMap((facts) => {
      const request = requestOf(facts);
      const reply = frames.find(
        (other) =>
          other['tcp.dstport'] !== String(MODBUS_PORT) &&
          other['mbtcp.trans_id'] === facts['mbtcp.trans_id'] &&
          Number(other['frame.number']) > Number(facts['frame.number']) &&
          Number(other['frame.number']) <= Number(facts['frame.number']) + 2,
      );
      const bytes = payloads.get(Number(facts['frame.number']))!;
      // One recorded client adds a byte to its question for an identification.
      if (!request || createMbapFramer().encode(request).length !== bytes.length) return [];
      const answer = reply && payloads.get(Number(reply['frame.number']));
      return [{ number: facts['frame.number'], facts, request, bytes, reply, answer }];
    });
    return { name, exchanges };
  });

describe.each(captures)('$name', ({ name, exchanges }) => {
  test.each(exchanges)(
    'frame $number is asked as it was asked, and its answer reads as the dissector reads it',
    ({ facts, request, bytes, reply, answer }) => {
      const framer = createMbapFramer();
      const ours = framer.encode(request);
      expect(Buffer.from(ours.subarray(2)).toString('hex')).toBe(
        bytes.subarray(2, ours.length).toString('hex'),
      );
      if (!reply || !answer) return; // The recording has no answer.
      const parsed = framer.push(Uint8Array.of(ours[0]!, ours[1]!, ...answer.subarray(2)));
      const shown = shownBy(parsed, facts);
      const told = Object.fromEntries(Object.keys(shown).map((column) => [column, reply[column]]));
      expect(shown).toEqual(told);
      expect('modbus.exception_code' in shown).toBe(reply['modbus.exception_code'] !== '');
    },
  );

  test('has what it is here for', () => {
    const functions = new Set(exchanges.map(({ request }) => request.fc));
    const wanted = name === 'modbus_example.pcap' ? [1, 2, 3, 4, 5, 6, 15, 16, 17, 22, 43] : [1, 3, 5, 6, 17];
    expect([...functions]).toEqual(expect.arrayContaining(wanted));
    const isRefused = exchanges.some(({ reply }) => reply?.['modbus.exception_code']);
    expect(isRefused).toBe(name === 'modbus_example.pcap');
  });
});

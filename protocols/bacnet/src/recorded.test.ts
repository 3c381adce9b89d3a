import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDatagram } from './datagram.ts';
import { createStation, type PropertyValue } from './station.ts';
import { readTag, tags } from './tags.ts';

const SERVICE = 12;

/** APDUs of a little-endian Ethernet capture, in order. */
function apdusOf(pcap: Buffer): Buffer[] {
  const apdus: Buffer[] = [];
  for (let at = 24; at + 16 <= pcap.length;) {
    const length = pcap.readUInt32LE(at + 8);
    const packet = pcap.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (packet.readUInt16BE(12) !== 0x0800 || packet[23] !== 17) continue;
    const ip = packet.subarray(14, 14 + packet.readUInt16BE(16));
    const datagram = ip.subarray((ip[0]! & 15) * 4 + 8);
    const message = parseDatagram(datagram, { address: '10.0.0.1', port: 47_808 });
    if (message) apdus.push(message.apdu);
  }
  return apdus;
}

const apdus = apdusOf(readFileSync(join(import.meta.dirname, '../fixtures/bacnet_example_400.pcap')));
const reads = apdus.flatMap((request, at) => {
  if (request[0]! >> 4 !== 0 || request[3] !== SERVICE) return [];
  const answer = apdus.slice(at + 1).find((apdu) => apdu[0] === 0x30 && apdu[1] === request[2]);
  return answer ? [{ request, answer }] : [];
});

/** The recorded value, read by hand where it is a number. */
function numberIn(answer: Buffer): number | undefined {
  const object = readTag(answer.subarray(3), 0)!;
  const property = readTag(answer.subarray(3), object.end)!;
  const value = answer.subarray(3 + property.end + 1);
  if (value[0] === 0x44) return value.readFloatBE(1);
  const size = value[0]! & 7;
  const isNumber = value[0]! >> 4 === tags.unsigned || value[0]! >> 4 === tags.enumerated;
  return isNumber && (value[0]! & 8) === 0 && size < 5 ? value.readUIntBE(1, size) : undefined;
}

async function replay({ request, answer }: (typeof reads)[number]) {
  const sent: Buffer[] = [];
  const place = { address: '10.0.0.1', port: 47_808 };
  const station = createStation({
    place,
    timeoutMs: 1_000,
    send: (datagram) => void sent.push(datagram),
    onClosed: () => undefined,
  });
  const word = request.readUInt32BE(5);
  const object = { type: word >>> 22, instance: word & 0x3f_ffff };
  const property = readTag(request.subarray(4), 5)!;
  const index = property.end < request.length - 4 ? readTag(request.subarray(4), property.end)! : undefined;
  const numberOf = ({ content }: { content: Buffer }): number => content.readUIntBE(0, content.length);
  const reading = station.readProperty(object, numberOf(property), index && numberOf(index));
  const asked = parseDatagram(sent[0]!, place)!.apdu;
  station.receive(Buffer.from([answer[0]!, asked[2]!, ...answer.subarray(2)]));
  const values: readonly PropertyValue[] = await reading;
  station.close();
  return { asked, values };
}

test('asks like the recorded client and reads what the recorded devices answered', async () => {
  let numbers = 0;
  for (const read of reads) {
    const { asked, values } = await replay(read);
    expect(asked.subarray(3).toString('hex')).toBe(read.request.subarray(3).toString('hex'));
    const number = numberIn(read.answer);
    if (number === undefined) continue;
    numbers += 1;
    expect(values[0]?.value).toBe(number);
  }
  expect([reads.length > 50, numbers > 5]).toEqual([true, true]);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as library from 'node-opcua-client';
import { expect, test } from 'vitest';
import { tcpStreamsIn, type TcpStream } from '../../../tests/support/tcp-streams.ts';
import { readingOf } from './convert.ts';
import { gauge } from './testing.ts';
import { sampleOf } from './value.ts';

const folder = join(import.meta.dirname, '../../../tests/fixtures/captures/opcua');
/** What another decoder reads in the captures. */
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<
  string,
  { messages: string[]; int32: number[]; browseNames: string[] }
>;

interface Decoded {
  readonly id: number;
  readonly requestId: number;
  readonly message: object;
}

/** The messages of one side by the decoder that the driver uses; rejects for what it cannot decode. */
async function decode({ chunks }: TcpStream): Promise<Decoded[]> {
  const noKeys = { getDerivedKey: () => null };
  const builder = new library.MessageBuilder(noKeys as never, {
    ...{ name: 'recorded', maxMessageSize: 0, maxChunkCount: 0, maxChunkSize: 0 },
    securityMode: library.MessageSecurityMode.None,
  });
  const decoded: Decoded[] = [];
  const failures: unknown[] = [];
  builder.on('message', (message, _type, _security, requestId) => {
    const id = Number(
      (message as { schema: { encodingDefaultBinary: library.NodeId } }).schema.encodingDefaultBinary.value,
    );
    decoded.push({ id, requestId, message });
  });
  builder.on('error', (error) => failures.push(error));
  for (const packet of packetsIn(Buffer.concat(chunks))) builder.feed(packet);
  await new Promise((resolve) => setImmediate(resolve));
  expect(failures).toEqual([]);
  return decoded;
}

/** Messages behind the greeting (HEL, ACK); each begins with its type and its length (OPC 10000-6 clause 7.1.2.2). */
function packetsIn(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) {
    const packet = bytes.subarray(at, at + bytes.readUInt32LE(at + 4));
    if (!/^(HEL|ACK)/.test(packet.toString('latin1', 0, 3))) packets.push(packet);
  }
  return packets;
}

test.each(Object.keys(expected))('%s is decoded as another decoder does', async (name) => {
  const { messages, int32, browseNames } = expected[name]!;
  const streams = tcpStreamsIn(readFileSync(join(folder, name)));
  const all = (await Promise.all(streams.map(decode))).flat();
  const byId = (a: Decoded, b: Decoded): number => a.id - b.id || a.requestId - b.requestId;
  expect(all.toSorted(byId).map(({ id, requestId }) => `${id} ${requestId}`)).toEqual(messages);

  const responses = all.map(({ message }) => message);
  const readings = responses
    .filter((message) => message instanceof library.ReadResponse)
    .flatMap(({ results }) => (results ?? []).map((value) => readingOf(library, value)));
  const whole = readings.filter(({ type, isArray }) => type === 'Int32' && !isArray);
  const samples = whole.map((reading) => sampleOf(gauge('x'), reading, { beganAt: 0, at: 0 }));
  expect(samples.map(({ value }) => value)).toEqual(int32);

  const names = responses
    .filter((message) => message instanceof library.BrowseResponse)
    .flatMap(({ results }) => results ?? [])
    .flatMap(({ references }) => (references ?? []).flatMap(({ browseName: { name } }) => name ?? []));
  expect(names).toEqual(browseNames);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Transported, transportedIn } from '../../../tests/support/pcap.ts';
import { parseDatagram, parseIAm, pduTypes, services } from './datagram.ts';
import { propertyIn, readProperty } from './read-property.ts';
import { Refusal } from './refusal.ts';
import { valueWords } from './schedule.ts';
import { createStation } from './station.ts';
import { createReader, type PropertyValue, tags } from './tags.ts';

const folder = join(import.meta.dirname, '../../../tests/fixtures/captures/bacnet');
const packetsOf = (name: string): Transported[] => transportedIn(readFileSync(join(folder, name)));

/** Rows of what another program read in a capture, by column. */
function expectedOf(name: string): Record<string, string>[] {
  const lines = gunzipSync(readFileSync(join(folder, 'expected', name)))
    .toString('utf8')
    .split('\n');
  const fields = lines
    .find((line) => line.startsWith('#fields'))!
    .split('\t')
    .slice(1);
  const rows = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return rows.map((line) => Object.fromEntries(line.split('\t').map((cell, n) => [fields[n]!, cell])));
}

const names: Readonly<Record<string, number>> = {
  CONFIRMED_REQUEST: pduTypes.confirmed,
  UNCONFIRMED_REQUEST: pduTypes.unconfirmed,
  SIMPLE_ACK: pduTypes.simpleAck,
  COMPLEX_ACK: pduTypes.complexAck,
  ERROR_PDU: pduTypes.error,
  REJECT_PDU: pduTypes.reject,
  ABORT_PDU: pduTypes.abort,
};

const heard = (name: string) =>
  packetsOf(name).flatMap(({ from, payload }) => {
    const message = parseDatagram(payload, from);
    return message ? [{ from: `${from.address}:${from.port}`, message }] : [];
  });

describe.each([
  ['bacnet_example.pcap', 'basic'],
  ['bacnet_error_reject_abort.pcap', 'error-reject-abort'],
])('%s', (capture, expected) => {
  test('kinds of messages and invoke ids', () => {
    const ours = heard(capture).map(({ from, message: { apdu } }) => {
      const type = apdu[0]! >> 4;
      return `${from} ${type} ${type === pduTypes.unconfirmed ? '-' : apdu[type === pduTypes.confirmed ? 2 : 1]}`;
    });
    // What is to be distributed goes to a BBMD, which we are not. The reinitializations of the first recording all announce a
    // length of 17 octets that they do not have.
    const isBent = (row: Record<string, string>): boolean =>
      expected === 'basic' && row.pdu_service === 'reinitialize_device';
    const rows = expectedOf(`${expected}/bacnet.log.gz`).filter(
      (row) => row.bvlc_function !== 'Distribute_Broadcast_to_Network' && !isBent(row),
    );
    const theirs = rows.map(
      (row) => `${row.source_h}:${row.source_p} ${names[row.pdu_type!]} ${row.invoke_id}`,
    );
    expect(ours.toSorted()).toEqual(theirs.toSorted());
  });

  test('devices that announce themselves', () => {
    const ours = heard(capture).flatMap(({ message }) => parseIAm(message)?.instance ?? []);
    const rows = expectedOf(`${expected}/bacnet_discovery.log.gz`).filter(
      ({ pdu_service: s }) => s === 'i-am',
    );
    expect(ours.toSorted()).toEqual(rows.map((row) => Number(row.instance_number)).toSorted());
    expect(ours.length).toBeGreaterThan(0);
  });
});

/** Each read of the capture with its answer. */
const reads = (() => {
  const messages = heard('bacnet_example.pcap').map(({ message }) => message);
  return messages.flatMap(({ apdu: request, from }, at) => {
    if (request[0]! >> 4 !== pduTypes.confirmed || request[3] !== services.readProperty) return [];
    const answer = messages
      .slice(at + 1)
      .find(({ apdu }) => apdu[0] === 0x30 && apdu[1] === request[2] && apdu[2] === services.readProperty);
    return answer ? [{ request, answer: answer.apdu, from, device: answer.from.address }] : [];
  });
})();

async function replay({ request, answer }: (typeof reads)[number]) {
  const sent: Buffer[] = [];
  const place = { address: '10.0.0.1', port: 47_808 };
  const station = createStation({
    place,
    timeoutMs: 1_000,
    send: (datagram) => void sent.push(datagram),
    onClosed: () => undefined,
  });
  const reader = createReader(request.subarray(4));
  const [object, property] = [reader.object(0), propertyIn(reader, 1)];
  const reading = readProperty(station, object, property);
  const asked = parseDatagram(sent[0]!, place)!.apdu;
  station.receive(Buffer.from([answer[0]!, asked[2]!, ...answer.subarray(2)]));
  const { values } = await reading;
  return { asked, values, object, property };
}

const propertyNames: Readonly<Record<number, string>> = {
  12: 'application-software-version',
  44: 'firmware-revision',
  58: 'location',
  70: 'model-name',
  77: 'object-name',
  81: 'out-of-service',
  85: 'present-value',
};

/** Digits and words of another program: six decimals, words for what is enumerated. */
function isSameAs(value: PropertyValue | undefined, theirs: string): boolean {
  if (value?.type === tags.real) return Math.abs(Number(value.value) - Number(theirs)) < 6e-7;
  if (value?.type === tags.boolean) return theirs.toLowerCase().startsWith(value.value === true ? 't' : 'f');
  return value !== undefined && valueWords(value) === theirs;
}

test('reads are asked for like the recorded client did, and answers say what the other program read in them', async () => {
  const theirs = new Map<string, string[]>();
  for (const row of expectedOf('basic/bacnet_property.log.gz')) {
    if (row.pdu_service !== 'read-property-ack') continue;
    const key = `${row.source_h} ${row.invoke_id} ${row.instance_number} ${row.property}`;
    theirs.set(key, [...(theirs.get(key) ?? []), row.value!]);
  }
  let compared = 0;
  for (const read of reads) {
    const { asked, values, object, property } = await replay(read);
    expect(asked.subarray(3).toString('hex')).toBe(read.request.subarray(3).toString('hex'));
    const [value] = values;
    if (value?.type === tags.enumerated) continue; // They give words for numbers.
    const name = propertyNames[property.id]!;
    const said = theirs.get(`${read.device} ${read.answer[1]} ${object.instance} ${name}`) ?? [];
    expect([value, said.some((text) => isSameAs(value, text)), said]).toEqual([value, true, said]);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(1_000);
});

test('an error, a reject and an abort of the recording end a request with the standard’s words', async () => {
  const ends = heard('bacnet_error_reject_abort.pcap').filter(({ message }) => message.apdu[0]! >> 4 >= 5);
  const told = await Promise.all(
    ends.map(async ({ message: { apdu } }) => {
      const station = createStation({
        place: { address: '10.0.0.1', port: 47_808 },
        timeoutMs: 500,
        send: () => undefined,
        onClosed: () => undefined,
      });
      const service = apdu[0]! >> 4 === pduTypes.error ? apdu[2]! : services.readProperty;
      const asking = station.request(service, [], () => undefined).catch((error: unknown) => error);
      station.receive(Buffer.from([apdu[0]!, 1, ...apdu.subarray(2)]));
      const error = await asking;
      return error instanceof Refusal ? `${error.kind}: ${error.message}` : String(error);
    }),
  );
  expect(told).toEqual([
    'error: password failure',
    'reject: rejected: unrecognized service',
    'abort: aborted: reason 0',
  ]);
});

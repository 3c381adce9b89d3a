import type { Connection, Driver } from '@parkline/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BacnetBench, startBacnetBench } from '../../../tests/support/bacnet.ts';
import { createUdpRelay, type UdpRelay } from '../../../tests/support/udp-relay.ts';
import { connectionTo, gauge, never } from './testing.ts';

let benches: BacnetBench[];
let relays: UdpRelay[];
let connection: Connection;
let devices: Driver[];
const traits = [{}, { multiple: false }] as const;

/** Two controllers, each behind an address of its own; the second knows no ReadPropertyMultiple. */
beforeEach(async () => {
  benches = await Promise.all(
    [1, 2].map((instance) =>
      startBacnetBench([
        {
          instance,
          objects: { 'AI-1': instance * 100, 'BI-1': instance % 2 },
          traits: traits[instance - 1]!,
        },
      ]),
    ),
  );
  relays = await Promise.all(benches.map(({ place }) => createUdpRelay(place)));
  const [first, second] = relays.map(({ place }) => place);
  connection = connectionTo(first!, { whoIs: [first, second], timeoutMs: 500 });
  devices = [1, 2].map((device) => connection.device({ device }));
});
afterEach(async () => {
  await connection.close();
  await Promise.all([...relays, ...benches].map((each) => each.stop()));
});

const valuesNow = async () =>
  (await Promise.all(devices.map((driver) => driver.read([gauge('analog-input,1')], never())))).map(
    ([sample]) => sample?.value,
  );
const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

test('devices that exchanged their addresses are told apart', async () => {
  expect(await valuesNow()).toEqual([100, 200]);
  for (let round = 0; round < 3; round += 1) {
    relays[0]!.exchange(relays[1]!);
    expect(await valuesNow()).toEqual([100, 200]);
  }
});

test.each([
  ['a segment acknowledgement', '81 0a 00 0a 01 00 40 01 00 01'],
  ['half an answer in segments', '81 0a 00 0c 01 00 3c 01 00 04 0c 00'],
  ['an answer nobody asked for', '81 0a 00 09 01 00 30 ff 0c'],
  ['an error that breaks off', '81 0a 00 09 01 00 50 01 0c'],
  ['an answer with a length of 4 GB', '81 0a 00 10 01 00 30 01 0e 75 ff ff ff ff ff 00'],
  ['a request of its own', '81 0a 00 0f 01 04 00 05 01 0c 0c 02 00 00 01'],
  [
    'a notification nobody wants',
    '81 0a 00 1a 01 00 10 02 09 01 1c 02 00 00 01 2c 00 00 00 01 39 00 4e 4f 00 00',
  ],
  ['an I-Am of another device', '81 0a 00 14 01 00 10 00 c4 02 00 00 63 22 05 c4 91 00 21 0f'],
  ['nothing', ''],
])('%s hurts nobody', async (_what, hex) => {
  expect(await valuesNow()).toEqual([100, 200]);
  for (let round = 0; round < 20; round += 1) {
    const reading = valuesNow();
    for (const relay of relays) for (let n = 0; n < 5; n += 1) relay.say(octets(hex));
    expect(await reading).toEqual([100, 200]);
  }
});

test('answers of one device in the name of the other’s requests are not taken', async () => {
  await valuesNow();
  // Every answer also goes out from the neighbour's address, with all the right numbers.
  for (const [n, relay] of relays.entries()) {
    relay.bend = (datagram) => {
      relays[1 - n]!.say(datagram);
      return datagram;
    };
  }
  for (let round = 0; round < 50; round += 1) expect(await valuesNow()).toEqual([100, 200]);
});

test('a device that answers with noise is lost as garbage or time-out, and found again', async () => {
  await valuesNow();
  for (const relay of relays) relay.bend = (datagram) => Buffer.from(datagram.map((octet) => octet ^ 0x55));
  await expect(valuesNow()).rejects.toMatchObject({ name: 'DriverError' });
  for (const relay of relays) relay.bend = undefined;
  await expect.poll(() => valuesNow().catch(String), { timeout: 10_000 }).toEqual([100, 200]);
});

import { expect, test } from 'vitest';
import { covNotificationIn } from './cov-service.ts';
import { parseDatagram } from './datagram.ts';
import { eventNotificationIn, getEventInformation } from './event-service.ts';
import { resultIn } from './foreign.ts';
import { createMutation, createRandom, seeds } from './fuzzing.ts';
import { readLog } from './range-service.ts';
import { readMultiple } from './read-property.ts';
import { Refusal } from './refusal.ts';
import { exceptionWords, weekWords } from './schedule.ts';
import { createStation, NoAnswer, type Station } from './station.ts';
import { Malformed, valuesIn } from './tags.ts';

const TIMES = 5_000;
const mutated = createMutation(createRandom(20_261_123));

/** Runs a decoder on bent octets: what it cannot read is Malformed, and nothing else is ever thrown. */
function bend(
  seed: Buffer,
  decode: (data: Buffer) => unknown,
  times: number,
): { read: number; refused: number } {
  const counts = { read: 0, refused: 0 };
  for (let n = 0; n < times; n += 1) {
    try {
      decode(mutated(seed));
      counts.read += 1;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      counts.refused += 1;
    }
  }
  return counts;
}

test.each([
  ['event notifications', seeds.event(77), eventNotificationIn],
  ['changes of value', seeds.change, covNotificationIn],
  ['weekly schedules', seeds.week, weekWords],
  ['exception schedules', seeds.exceptions, exceptionWords],
  ['values', seeds.error, valuesIn],
  ['results of a BBMD', seeds.bvlcResult, resultIn],
  [
    'forwarded messages',
    seeds.forwarded(seeds.eventNotifications(77)[0]!, { address: '10.0.0.1', port: 1 }),
    (data: Buffer) => parseDatagram(data, { address: '10.0.0.9', port: 47_808 }),
  ],
] as const)('5,000 bent %s are read or refused as malformed', (_what, seed, decode) => {
  const { read, refused } = bend(seed, decode, TIMES);
  expect(read + refused).toBe(TIMES);
  expect(read).toBeGreaterThan(0);
});

const log = { type: 20, instance: 5 };
const requests: readonly [string, number, (station: Station) => Promise<unknown>, Buffer, string][] = [
  ['a trend log', 26, (station) => readLog(station, log, { sequence: 3 }, 10), seeds.range, '30'],
  ['GetEventInformation', 29, (station) => getEventInformation(station, undefined), seeds.information, '30'],
  ['a write', 15, (station) => station.request(15, [], () => 'done'), seeds.error, '50'],
  ['a recipient list', 8, (station) => station.request(8, [], () => 'done'), seeds.listError, '50'],
  [
    'a list of properties',
    14,
    (station) => readMultiple(station, [{ ...log, properties: [{ id: 77 }] }]),
    seeds.week,
    '30',
  ],
];

test.each(requests)(
  '5,000 bent answers to %s end it, or are waited past',
  async (_what, service, ask, seed, head) => {
    let clean = 0;
    for (let n = 0; n < TIMES; n += 1) {
      const station = createStation({
        place: { address: '10.0.0.1', port: 47_808 },
        timeoutMs: 60_000,
        send: () => undefined,
        onClosed: () => undefined,
      });
      const asking = ask(station).then(
        () => 'answered',
        (error: unknown) => error,
      );
      try {
        station.receive(Buffer.concat([Buffer.from([parseInt(head, 16), 1, service]), mutated(seed)]));
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
      }
      station.close();
      const end = await asking;
      const isKnown = end === 'answered' || end instanceof NoAnswer || end instanceof Refusal;
      if (!isKnown) throw end;
      if (!(end instanceof NoAnswer)) clean += 1;
    }
    expect(clean).toBeGreaterThan(head === '50' ? 100 : -1);
  },
);

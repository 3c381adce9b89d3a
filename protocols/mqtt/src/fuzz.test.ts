import { expect, test } from 'vitest';
import { decodePoint, usualTime } from './payload.ts';
import { encodePayload } from './sparkplug-codec.ts';
import { createSparkplugNode } from './sparkplug.ts';
import { createStation, type Station } from './station.ts';
import { createTopicSubject, type Subject } from './subject.ts';
import { quietLog, randomFrom } from './testing.ts';

const ROUNDS = 100_000;
const now = Date.UTC(2026, 10, 22, 12);

const birth = encodePayload({
  timestamp: now,
  seq: 0,
  metrics: [
    { name: 'bdSeq', datatype: 8, value: 1n },
    { name: 'power', alias: 2n, datatype: 3, value: -5n },
    { name: 't', alias: 3n, datatype: 9, value: 21.5 },
    { name: 'text', alias: 4n, datatype: 12, value: 'words' },
    { name: 'none', alias: 5n, datatype: 10, isNull: true },
  ],
});
const data = encodePayload({
  timestamp: now,
  seq: 1,
  metrics: [{ alias: 2n, timestamp: now, value: 7n, datatype: 3 }],
});
const sound: readonly (readonly [topic: string, payload: Uint8Array])[] = [
  ['devices/gate/state', Buffer.from(`{"ts":${now},"open":true,"count":{"in":17},"list":[1,"ON",null]}`)],
  ['devices/gate/power', Buffer.from('-12.5e3')],
  ['devices/gate/switch', Buffer.from('ON')],
  ['devices/gate/online', Buffer.from('{"state":"online"}')],
  ['spBv1.0/site/NBIRTH/edge', birth],
  ['spBv1.0/site/NDATA/edge', data],
  ['spBv1.0/site/NDEATH/edge', encodePayload({ metrics: [{ name: 'bdSeq', datatype: 8, value: 1n }] })],
];

test(`${ROUNDS} broken payloads: each value is a finite number or has a reason, and sound ones are read after them`, () => {
  const random = randomFrom(4_711);
  const stations = [createStation(() => now), createStation(() => now)] as [Station, Station];
  const node = createSparkplugNode({
    ...{
      group: 'site',
      node: 'edge',
      now: () => now,
      maxLagMs: 30_000,
      log: quietLog,
      send: () => undefined,
    },
  });
  node.attach(undefined, stations[1]);
  const subjects: Subject[] = [createTopicSubject('devices/gate', stations[0], usualTime), node];
  const paths = [[], ['open'], ['count', 'in'], ['list', '1'], ['__proto__'], ['length']];
  let bad = 0;
  for (const station of stations)
    station.follow({
      told(_name, { document, at }) {
        if (at !== now && !(at > 0)) throw new Error(`time ${at}`);
        for (const path of paths) {
          const decoded = decodePoint(document, path, { scale: 0.1, kind: 'gauge' });
          if (decoded.ok ? !Number.isFinite(decoded.value) : decoded.why === '')
            throw new Error('no value, no reason');
          if (!decoded.ok) bad += 1;
        }
      },
    });
  const tell = ([topic, payload]: readonly [string, Uint8Array]): void => {
    const message = { topic, payload, qos: 1 as const, retain: false, receivedAt: now };
    for (const subject of subjects) if (subject.owns(topic)) subject.heard(message);
  };

  for (let round = 0; round < ROUNDS; round += 1) {
    const [topic, payload] = sound[random(sound.length)]!;
    const bytes = Buffer.from(payload);
    for (let n = random(4); n >= 0; n -= 1) bytes[random(bytes.length)] = random(256);
    tell([topic, random(5) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes]);
  }
  expect(bad).toBeGreaterThan(ROUNDS / 10);

  for (const one of sound.slice(0, 6)) tell(one);
  const valueOf = (station: Station, name: string): unknown => {
    const document = station.last(name)?.document;
    return document?.ok ? document.value : document;
  };
  expect(valueOf(stations[0], 'state')).toMatchObject({ open: true });
  expect([valueOf(stations[1], 'power'), valueOf(stations[1], 't')]).toEqual([7, 21.5]);
}, 60_000);

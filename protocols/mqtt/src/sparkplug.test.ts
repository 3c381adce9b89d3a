import { beforeEach, describe, expect, test } from 'vitest';
import protobuf from 'protobufjs';
import { datatypes, decodePayload, encodePayload, numberOf, SparkplugError } from './sparkplug-codec.ts';
import { createSparkplugNode, type SparkplugNode } from './sparkplug.ts';
import { createStation, type Station, type Told } from './station.ts';
import { quietLog } from './testing.ts';

/** The payload as an independent implementation of protocol buffers writes it; numbers of fields from Sparkplug 3.0.0, clause 6.4.1. */
const { Payload } = protobuf.Root.fromJSON({
  nested: {
    Payload: {
      fields: {
        timestamp: { type: 'uint64', id: 1 },
        metrics: { rule: 'repeated', type: 'Metric', id: 2 },
        seq: { type: 'uint64', id: 3 },
        uuid: { type: 'string', id: 4 },
        body: { type: 'bytes', id: 5 },
      },
    },
    Metric: {
      oneofs: {
        value: {
          oneof: 'int long float double boolean string bytes'.split(' ').map((type) => `${type}_value`),
        },
      },
      fields: {
        name: { type: 'string', id: 1 },
        alias: { type: 'uint64', id: 2 },
        timestamp: { type: 'uint64', id: 3 },
        datatype: { type: 'uint32', id: 4 },
        is_historical: { type: 'bool', id: 5 },
        is_null: { type: 'bool', id: 7 },
        int_value: { type: 'uint32', id: 10 },
        long_value: { type: 'uint64', id: 11 },
        float_value: { type: 'float', id: 12 },
        double_value: { type: 'double', id: 13 },
        boolean_value: { type: 'bool', id: 14 },
        string_value: { type: 'string', id: 15 },
        bytes_value: { type: 'bytes', id: 16 },
      },
    },
  },
}).nested as { Payload: protobuf.Type };
const encoded = (payload: object): Uint8Array =>
  Payload.encode(Payload.fromObject(JSON.parse(JSON.stringify(payload)) as object)).finish();

const start = Date.UTC(2026, 10, 22, 12);

describe('the codec', () => {
  test.each([
    ['float', { datatype: 9, float_value: 21.3 }, 21.3],
    ['double', { datatype: 10, double_value: -0.125 }, -0.125],
    ['boolean', { datatype: 11, boolean_value: true }, 1],
    ['int8 cut to its width', { datatype: 1, int_value: 0xfe }, -2],
    ['int16 as 32 bits', { datatype: 2, int_value: 0xffff_fffe }, -2],
    ['int32', { datatype: 3, int_value: 0xffff_ffff }, -1],
    ['int64', { datatype: 4, long_value: '18446744073709551615' }, -1],
    ['uint8', { datatype: 5, int_value: 255 }, 255],
    ['uint32', { datatype: 7, int_value: 4_294_967_295 }, 4_294_967_295],
    ['uint64', { datatype: 8, long_value: '9007199254740992' }, 9_007_199_254_740_992],
    ['uint64 that no double holds', { datatype: 8, long_value: '9007199254740993' }, 9_007_199_254_740_993n],
    ['date', { datatype: 13, long_value: String(start) }, start],
    ['nothing', { datatype: 9, is_null: true }, undefined],
    ['text', { datatype: 12, string_value: 'x' }, undefined],
    ['bytes', { datatype: 17, bytes_value: 'AAEC' }, undefined],
  ])('reads %s', (_what, metric, value) => {
    const bytes = encoded({
      timestamp: String(start),
      seq: 7,
      metrics: [{ name: 'm', alias: '300', ...metric }],
    });
    const payload = decodePayload(bytes);
    expect([payload.timestamp, payload.seq, payload.metrics.length]).toEqual([start, 7, 1]);
    const [first] = payload.metrics;
    expect([first?.name, first?.alias, first?.datatype]).toEqual(['m', 300n, metric.datatype]);
    expect(numberOf(first!, metric.datatype)).toBe(value);
  });

  test('writes what others read', () => {
    const bytes = encodePayload({
      timestamp: start,
      metrics: [
        { name: 'open', alias: 5n, datatype: datatypes.boolean, value: true },
        { name: 't', datatype: datatypes.float, value: 21.5 },
        { name: 'n', datatype: datatypes.int32, value: -2n },
        { name: 'd', datatype: datatypes.double, value: 0.1 },
        { name: 'l', datatype: datatypes.int64, value: -3n },
        { name: 'none', isNull: true, timestamp: start },
      ],
    });
    const { metrics } = Payload.toObject(Payload.decode(bytes), { longs: String }) as { metrics: object[] };
    expect(metrics).toEqual([
      { name: 'open', alias: '5', datatype: 11, boolean_value: true },
      { name: 't', datatype: 9, float_value: 21.5 },
      { name: 'n', datatype: 3, int_value: 4_294_967_294 },
      { name: 'd', datatype: 10, double_value: 0.1 },
      { name: 'l', datatype: 4, long_value: '18446744073709551613' },
      { name: 'none', timestamp: String(start), is_null: true },
    ]);
  });

  test.each([
    ['cut off in a number', '08'],
    ['a length beyond the end', '12ff01'],
    ['a number without end', '08ffffffffffffffffffffff01'],
    ['a group', '0b'],
    ['a field without a number', '00'],
    ['a name that is no UTF-8', '12030a01ff'],
  ])('refuses %s', (_what, hex) => {
    expect(() => decodePayload(Buffer.from(hex, 'hex'))).toThrow(SparkplugError);
  });
});

describe('a node', () => {
  let now: number;
  let node: SparkplugNode;
  let meter: Station;
  let own: Station;
  let sent: string[];
  let seq: number;

  beforeEach(() => {
    now = start;
    sent = [];
    seq = 0;
    node = createSparkplugNode({
      ...{ group: 'site', node: 'edge', now: () => now, maxLagMs: 30_000, log: quietLog },
      send(topic, payload) {
        const { metrics } = decodePayload(payload);
        sent.push(`${topic} ${metrics.map(({ name, value }) => `${name}=${String(value)}`).join()}`);
      },
    });
    [own, meter] = [createStation(() => now), createStation(() => now)];
    node.attach(undefined, own);
    node.attach('meter', meter);
    for (const station of [own, meter]) station.came();
  });

  function tell(type: string, metrics: readonly object[], over: object = {}): void {
    const hasDevice = type.startsWith('D');
    if (type === 'NBIRTH') seq = 0;
    const counted = type === 'NDEATH' ? {} : { seq };
    const payload = encoded({ timestamp: String(now), ...counted, metrics, ...over });
    if (type !== 'NDEATH') seq = (seq + 1) % 256;
    const topic = `spBv1.0/site/${type}/edge${hasDevice ? '/meter' : ''}`;
    node.heard({ topic, payload, qos: 0, retain: false, receivedAt: now });
  }
  const born = (): void => {
    tell('NBIRTH', [
      { name: 'bdSeq', datatype: 8, long_value: '1' },
      { name: 'Node Control/Rebirth', datatype: 11, boolean_value: false },
      { name: 'cpu', alias: '1', datatype: 9, float_value: 12.5 },
    ]);
    tell('DBIRTH', [
      { name: 'power', alias: '2', datatype: 3, int_value: 4_294_967_295 },
      { name: 'state/open', alias: '3', datatype: 11, boolean_value: true },
    ]);
  };
  const valueOf = (station: Station, name: string): unknown => {
    const document = station.last(name)?.document;
    return document?.ok ? document.value : document?.why;
  };

  test('is born with its devices, and tells by alias from then on', () => {
    born();
    expect([valueOf(own, 'cpu'), valueOf(meter, 'power'), valueOf(meter, 'state/open')]).toEqual([
      12.5, -1, 1,
    ]);
    now += 1_000;
    tell('DDATA', [{ alias: '2', int_value: 4_294_967_290, timestamp: String(now - 400) }]);
    tell('NDATA', [{ alias: '1', float_value: 13.5 }]);
    expect([valueOf(own, 'cpu'), valueOf(meter, 'power')]).toEqual([13.5, -6]);
    expect(meter.last('power')?.at).toBe(now - 400);
    expect(own.last('cpu')?.at).toBe(now);
    expect(sent).toEqual([]);
  });

  test('null is bad, historical values keep their time however old, unbelievable times are not believed', () => {
    born();
    const yesterday = start - 86_400_000;
    const told: Told[] = [];
    meter.follow({ told: (_name, one) => void told.push(one) });
    tell('DDATA', [{ alias: '2', is_null: true }]);
    tell('DDATA', [{ alias: '2', int_value: 1, is_historical: true, timestamp: String(yesterday) }]);
    tell('DDATA', [{ alias: '2', int_value: 2, timestamp: String(yesterday) }]);
    expect(told.map(({ at, document }) => [at, document.ok && document.value])).toEqual([
      [start, null],
      [yesterday, 1],
      [start, 2],
    ]);
  });

  test.each([
    ['a message is missing', () => void (seq += 1)],
    ['numbers start anew without a birth', () => void (seq = 200)],
  ])('is asked for its birth once when %s', (_what, disturb) => {
    born();
    disturb();
    tell('DDATA', [{ alias: '2', int_value: 3 }]);
    tell('DDATA', [{ alias: '2', int_value: 4 }]);
    expect(sent).toEqual(['spBv1.0/site/NCMD/edge Node Control/Rebirth=true']);
    expect(valueOf(meter, 'power')).toBe(4);
  });

  test('is asked for its birth when it tells before it, and once in a while at most', () => {
    tell('DDATA', [{ alias: '2', int_value: 3 }]);
    tell('DDATA', [{ alias: '9', int_value: 3 }]);
    expect(sent).toHaveLength(1);
    now += 10_000;
    tell('DDATA', [{ alias: '9', int_value: 3 }]);
    expect(sent).toHaveLength(2);
    expect(meter.names()).toEqual([]);
  });

  test('256 messages are no gap', () => {
    born();
    for (let n = 0; n < 600; n += 1) tell('DDATA', [{ alias: '2', int_value: n }]);
    expect([sent, valueOf(meter, 'power')]).toEqual([[], 599]);
  });

  test('dies with its devices; a device dies alone; an old death says nothing', () => {
    born();
    tell('DDEATH', []);
    expect([own.isOnline(), meter.isOnline()]).toEqual([true, false]);
    tell('DBIRTH', [{ name: 'power', alias: '2', datatype: 3, int_value: 1 }]);
    expect(meter.isOnline()).toBe(true);
    tell('NDEATH', [{ name: 'bdSeq', datatype: 8, long_value: '0' }]);
    expect([own.isOnline(), meter.isOnline()]).toEqual([true, true]);
    tell('NDEATH', [{ name: 'bdSeq', datatype: 8, long_value: '1' }]);
    expect([own.isOnline(), meter.isOnline()]).toEqual([false, false]);
  });

  test('a broken payload makes its values bad with the reason, and the next one good', () => {
    born();
    node.heard({
      ...{ topic: 'spBv1.0/site/DDATA/edge/meter', payload: Buffer.from('12ff', 'hex') },
      ...{ qos: 0, retain: false, receivedAt: now },
    });
    expect(valueOf(meter, 'power')).toBe('payload is not Sparkplug B: cut off');
    tell('DDATA', [{ alias: '2', int_value: 8 }]);
    expect(valueOf(meter, 'power')).toBe(8);
  });

  test.each([
    ['spBv1.0/site/NDATA/edge', true],
    ['spBv1.0/site/DDATA/edge/meter', true],
    ['spBv1.0/site/DDATA/edge2/meter', false],
    ['spBv1.0/other/NDATA/edge', false],
    ['devices/edge/state', false],
  ])('tells under %s: %s', (topic, isOwn) => {
    expect(node.owns(topic)).toBe(isOwn);
  });

  test.each([
    ['spBv1.0/site/NCMD/edge', true],
    ['spBv1.0/site/NCMD/edge/#', true],
    ['spBv1.0/site/DCMD/edge/#', true],
    ['spBv1.0/site/DCMD/edge/+', true],
    ['spBv1.0/site/DCMD/edge/meter', true],
    ['spBv1.0/site/+/edge/#', false],
    ['spBv1.0/#', false],
    ['#', false],
    ['spBv1.0/site/NCMD/edge2', false],
  ])('may hear %s: %s', (filter, mayHear) => {
    expect(node.mayHear(filter)).toBe(mayHear);
  });
});

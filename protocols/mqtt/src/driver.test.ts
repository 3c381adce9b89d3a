import type { Sample } from '@parkline/kit';
import { describe, expect, test } from 'vitest';
import { createMqttDriver } from './driver.ts';
import { createTopicDialect } from './dialect.ts';
import { usualTime, usualWords } from './payload.ts';
import { createStation } from './station.ts';
import { createTopicSubject } from './subject.ts';
import { never, point } from './testing.ts';

const start = Date.UTC(2026, 10, 22, 12);

/** A device without a broker: the test says what reaches it. */
function given({
  timeoutMs = 0,
  onCommand = (_topic: string, _payload: string): { acknowledged: Promise<void> } => ({
    acknowledged: Promise.resolve(),
  }),
} = {}) {
  let now = start;
  const said: string[] = [];
  const station = createStation(() => now);
  const subject = createTopicSubject('devices/gate', station, usualTime);
  const close = (): void => undefined;
  const driver = createMqttDriver({
    ...{ timeoutMs, maxAgeMs: 60_000, confirmMs: 50, where: 'here', now: () => now },
    member: { station, dialect: createTopicDialect('devices/gate', usualWords), close, reopen: close },
    onClose: close,
    outlet: { send: (topic, payload) => Promise.resolve(onCommand(topic, Buffer.from(payload).toString())) },
    open: () => Promise.resolve(start),
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (_facts, message) => void said.push(message),
    },
  });
  const tell = (topic: string, payload: unknown): void =>
    void subject.heard({
      topic: `devices/gate/${topic}`,
      payload: Buffer.from(JSON.stringify(payload)),
      ...{ qos: 1, retain: false, receivedAt: now },
    });
  const pass = (ms: number): void => void (now += ms);
  return { station, driver, tell, pass, said };
}

const values = (samples: readonly Sample[]) => samples.map(({ value, why }) => value ?? why);

describe('a read', () => {
  test('gives what was told last, whatever its topic, and each refusal its reason', async () => {
    const { station, driver, tell, pass } = given();
    station.came();
    tell('power', 12);
    tell('state', { open: false });
    tell('state', { open: true });
    pass(5_000);
    const refs = ['state:/open', 'power', 'state:/gone', 'other:/x', 'state:open'].map((one) => point(one));
    const samples = await driver.read(refs, never());
    expect(values(samples)).toEqual([
      1,
      12,
      'no /gone in the payload',
      'nothing was told on other',
      "'open' does not begin with / in address 'state:open'",
    ]);
    expect(samples[0]).toMatchObject({ at: start + 5_000, beganAt: start + 5_000 });
  });

  test('of a topic that has grown old is bad, while another one still stands', async () => {
    const { station, driver, tell, pass } = given();
    station.came();
    tell('old', 1);
    pass(60_001);
    tell('young', 2);
    expect(values(await driver.read([point('old'), point('young')], never()))).toEqual([
      'told more than 60000 ms ago',
      2,
    ]);
  });

  test.each([
    ['never came', () => undefined, 'lost'],
    ['came and told nothing', ({ station }: ReturnType<typeof given>) => void station.came(), 'timeout'],
    [
      'says it leaves',
      ({ station, tell }: ReturnType<typeof given>) => {
        station.came();
        tell('state', { open: true });
        tell('online', 0);
      },
      'lost',
    ],
    [
      'fell silent',
      ({ station, tell, pass }: ReturnType<typeof given>) => {
        station.came();
        tell('state', { open: true });
        pass(60_001);
      },
      'timeout',
    ],
  ])('of a device that %s fails', async (_what, happen, code) => {
    const bench = given();
    happen(bench);
    await expect(bench.driver.read([point('state:/open')], never())).rejects.toMatchObject({ code });
  });

  test('waits for a device that has only just had the chance to come and tell', async () => {
    const { station, driver, tell } = given({ timeoutMs: 60_000 });
    const reading = driver.read([point('state:/open')], never());
    const stop = new AbortController();
    const givenUp = driver.read([point('state:/open')], stop.signal);
    stop.abort();
    await expect(givenUp).rejects.toMatchObject({ code: 'aborted' });
    station.came();
    tell('other', 1);
    tell('state', { open: true });
    expect(values(await reading)).toEqual([1]);
  });

  test('of what was told before the device was away is uncertain until it is told again', async () => {
    const { station, driver, tell } = given();
    const first = station.came();
    tell('state', { open: true, gone: null });
    first.gone();
    station.came();
    tell('other', 1);
    const refs = [point('state:/open'), point('state:/gone'), point('other')];
    expect((await driver.read(refs, never())).map(({ value, quality }) => [value, quality])).toEqual([
      [1, 'uncertain'],
      [null, 'bad'],
      [1, 'good'],
    ]);
    tell('state', { open: false });
    expect((await driver.read(refs, never()))[0]).toMatchObject({ value: 0, quality: 'good' });
  });

  test('waits for a device that is back to tell again what it told before', async () => {
    const { station, driver, tell } = given({ timeoutMs: 60_000 });
    const first = station.came();
    tell('state', { open: true });
    first.gone();
    station.came();
    const reading = driver.read([point('state:/open')], never());
    tell('state', { open: false });
    expect(values(await reading)).toEqual([0]);
  });

  test('of a count has the time at which it was told, so that it stands for no later quarter hour', async () => {
    const { station, driver, tell, pass } = given();
    station.came();
    tell('meter', { count: 17, ts: start - 1_000 });
    pass(50_000);
    const [count] = await driver.read([{ ...point('meter:/count'), kind: 'register' }], never());
    expect(count).toMatchObject({ value: 17, at: start - 1_000, beganAt: start - 1_000 });
  });

  test('after the clock was set back far is not good by an age that nobody knows', async () => {
    const { station, driver, tell, pass } = given({ timeoutMs: 60_000 });
    station.came();
    tell('state', { open: true });
    pass(-3_600_000);
    await expect(driver.read([point('state:/open')], never())).rejects.toMatchObject({ code: 'timeout' });
    await expect(driver.read([point('other')], never())).rejects.toMatchObject({ code: 'timeout' });
    tell('state', { open: false });
    expect(values(await driver.read([point('state:/open')], never()))).toEqual([0]);
  });

  test('does not wait for one that was there and left', async () => {
    const { station, driver, tell } = given({ timeoutMs: 60_000 });
    const session = station.came();
    tell('state', { open: true });
    session.gone();
    await expect(driver.read([point('state:/open')], never())).rejects.toMatchObject({ code: 'lost' });
  });
});

describe('a subscription', () => {
  async function subscribed(bench: ReturnType<typeof given>, addresses: readonly string[]) {
    const told: Sample[] = [];
    const stop = new AbortController();
    const done = bench.driver.subscribe!(
      addresses.map((address) => point(address)),
      (sample) => told.push(sample),
      stop.signal,
    );
    const outcome = done.then(
      () => 'ended',
      (error: unknown) => error,
    );
    await Promise.resolve();
    await new Promise(setImmediate);
    return { told, stop, outcome };
  }

  test('tells what stands, then every message, refusals too', async () => {
    const bench = given();
    bench.station.came();
    bench.tell('state', { open: false, ts: start - 2_000 });
    const { told, stop, outcome } = await subscribed(bench, [
      'state:/open',
      'state:/broken',
      'bad address:x',
    ]);
    bench.pass(1_000);
    bench.tell('state', { open: true, broken: null });
    bench.tell('other', 1);
    stop.abort();
    expect(await outcome).toBe('ended');
    bench.tell('state', { open: false });
    expect(told.map(({ pointId, at, value }) => [pointId, at - start, value])).toEqual([
      ['state:/open', -2_000, 0],
      ['state:/broken', -2_000, null],
      ['state:/open', 1_000, 1],
      ['state:/broken', 1_000, null],
    ]);
  });

  test('does not tell what has grown old', async () => {
    const bench = given();
    bench.station.came();
    bench.tell('state', { open: false });
    bench.pass(60_001);
    const { told } = await subscribed(bench, ['state:/open']);
    expect(told).toEqual([]);
  });

  test('waits for a device that is not there, and ends as lost when it leaves', async () => {
    const bench = given();
    const { told, outcome } = await subscribed(bench, ['state:/open']);
    const session = bench.station.came();
    bench.tell('state', { open: true });
    expect(values(told)).toEqual([1]);
    session.gone();
    expect(await outcome).toMatchObject({ code: 'lost', message: 'the device is not connected any more' });
  });

  test('brings everything that was told since the last one ended, in order, each once', async () => {
    const bench = given();
    const session = bench.station.came();
    const first = await subscribed(bench, ['state:/open']);
    bench.tell('state', { open: true });
    session.gone();
    await first.outcome;
    bench.station.came();
    for (const open of [false, true, false]) {
      bench.pass(100);
      bench.tell('state', { open });
    }
    const { told } = await subscribed(bench, ['state:/open']);
    bench.tell('state', { open: true });
    expect(told.map(({ at, value }) => [at - start, value])).toEqual([
      [100, 0],
      [200, 1],
      [300, 0],
      [300, 1],
    ]);
    expect(bench.said).toEqual([]);
  });

  test('does not tell what was told before the device was away', async () => {
    const bench = given();
    const session = bench.station.came();
    bench.tell('state', { open: true });
    session.gone();
    bench.station.came();
    const { told } = await subscribed(bench, ['state:/open']);
    expect(told).toEqual([]);
  });

  test('a device that tells much to nobody fills no memory, and it is said', async () => {
    const bench = given();
    const session = bench.station.came();
    const first = await subscribed(bench, ['count']);
    session.gone();
    await first.outcome;
    bench.station.came();
    for (let count = 1; count <= 1_500; count += 1) bench.tell('count', count);
    const { told } = await subscribed(bench, ['count']);
    expect([told.length, told[0]?.value, told.at(-1)?.value]).toEqual([1_000, 501, 1_500]);
    expect(bench.said).toEqual(['mqtt messages dropped: nobody listens']);
  });

  test('ends as lost when the device is closed', async () => {
    const bench = given();
    const { outcome } = await subscribed(bench, ['state:/open']);
    await bench.driver.close();
    expect(await outcome).toMatchObject({ code: 'lost' });
  });
});

test('browse names what was told, in the syntax of addresses', async () => {
  const { station, driver, tell } = given();
  station.came();
  tell('power', 12);
  tell('state', { open: true, name: 'gate', count: { in: 1 } });
  const found: string[] = [];
  for await (const { address } of driver.browse(never())) found.push(address);
  expect(found).toEqual(['power', 'state:/open', 'state:/count/in']);
});

test('a device that invents topics is not remembered without end', () => {
  const { station, tell } = given();
  for (let i = 0; i < 200; i += 1) tell(`t${i}`, i);
  expect(station.names()).toHaveLength(100);
  expect([station.hasRoom('t0'), station.hasRoom('new')]).toEqual([true, false]);
});

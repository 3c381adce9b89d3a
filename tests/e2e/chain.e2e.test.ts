import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from '@parkline/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Get, type RunningPark, startPark, until } from '../support/park.ts';
import {
  byPoint,
  compareSets,
  deadbandFaults,
  type Entry,
  repeatsOf,
  seriesDifferences,
  unacceptedSpans,
  unheld,
  unmatched,
  unvouched,
  withoutRepeats,
} from './laws.ts';
import {
  byProtocol,
  readAccepted,
  readPoints,
  readServed,
  readStored,
  type TestPoint,
} from './three-sets.ts';

const parks = join(import.meta.dirname, '../../firmware-sim/parks');
/** From the request at the simulator to the sample's stamp: the driver's time-out is the limit. */
const windowMs = 1_100;
/**
 * The same for what a device may tell of its own accord, in both directions. Before the sample: a notification waits to be
 * published and to be taken in. After it: a reading that a push overtook is filed at the time its request began, when the
 * simulator had not served it yet.
 */
const apart = { beforeMs: 5_000, afterMs: 5_000 };

/** A park at another pace than its templates'. */
async function paced(park: string, everyMs: number, heartbeatMs: number): Promise<string> {
  const file = join(tmpdir(), `parkline-park-${process.pid}-${everyMs}.yaml`);
  const text = readFileSync(join(parks, park), 'utf8');
  await writeFile(file, `${text}\npoll: { everyMs: ${everyMs}, heartbeatMs: ${heartbeatMs} }\n`);
  return file;
}

/** Whose devices also tell of their own accord. */
const pushing = ['bacnet', 'opcua', 'mqtt'] as const;

const goodOf = (entries: readonly Entry[]): Entry[] => entries.filter(({ value }) => value !== null);

interface Sets {
  /** Unix ms up to which the samples go. */
  readonly cut: number;
  readonly served: Entry[];
  readonly accepted: Entry[];
  readonly stored: Entry[];
}

/** Waits until everything accepted so far is receipted, then reads the three sets up to that moment. */
async function gather(
  park: RunningPark,
  points: ReadonlyMap<string, TestPoint>,
  file: string,
): Promise<Sets> {
  const cut = Date.now();
  await sleep(2_500); // A batch waits a second for company before it is accepted.
  await until(
    () => park.run.gateways.every(({ home }) => pendingBefore(home, cut) === 0),
    90_000,
    'the outboxes are drained',
  );
  const upTo = ({ at }: Entry) => at <= cut;
  return {
    cut,
    served: readServed(park, file),
    accepted: readAccepted(park, points).filter(upTo),
    stored: (await readStored(park, points)).filter(upTo),
  };
}

function pendingBefore(home: string, at: number): number {
  const db = new DatabaseSync(join(home, 'outbox.sqlite'), { readOnly: true });
  try {
    const row = db
      .prepare('SELECT count(*) AS n FROM message WHERE received_at IS NULL AND from_ms <= ?')
      .get(at);
    return (row as { n: number }).n;
  } finally {
    db.close();
  }
}

describe('a park whose gateways report every read', () => {
  const pollMs = 1_000;
  let file: string;
  let park: RunningPark;
  let points: ReadonlyMap<string, TestPoint>;
  let get: Get;

  beforeAll(async () => {
    file = await paced('demo.yaml', pollMs, pollMs);
    park = await startPark({ park: file, args: ['--report-every', '--log-served', '--history-months', '0'] });
    points = await readPoints(park);
    get = await park.login();
  }, 300_000);
  afterAll(async () => {
    await park?.stop();
    await rm(file, { force: true });
  });

  test('without faults every served value is accepted and stored once, on the right point', async () => {
    // An MQTT device tells every 30 s: long enough for each to tell once more after the gateway began to listen.
    await sleep(45_000);
    const { served, accepted, stored, cut } = await gather(park, points, file);

    expect(points.size).toBeGreaterThanOrEqual(300);
    expect(new Set(accepted.map(({ point }) => point)).size).toBe(points.size);
    expect(repeatsOf(accepted)).toEqual([]);
    expect(compareSets(accepted, stored)).toEqual({ lost: [], extra: [] });
    const good = goodOf(accepted);
    expectServed(good, served);
    const [ours, theirs] = [byProtocol(good, file), byProtocol(served, file)];
    const answered = theirs.modbus.filter(({ at }) => at <= cut - windowMs);
    expect(seriesDifferences(ours.modbus, answered)).toEqual([]);
    for (const protocol of pushing) {
      const since = new Map([...byPoint(ours[protocol])].map(([point, [first]]) => [point, first!.at]));
      // What was told before the gateway listened is nobody's, and what comes at the cut may be on its way.
      const heard = withoutRepeats(goodOf(theirs[protocol])).filter(
        ({ point, at }) => at >= since.get(point)! && at <= cut - apart.afterMs,
      );
      expect(heard.length, protocol).toBeGreaterThan(10);
      const missing = unmatched(heard, ours[protocol], { beforeMs: apart.afterMs, afterMs: apart.beforeMs });
      expect(missing, protocol).toEqual([]);
    }
  });

  test('nothing accepted is lost or doubled while every process is killed in mid-flow', async () => {
    const kills: { name: string; at: number }[] = [];
    const kill = async (name: string) => {
      const before = (await park.pids())[name]!;
      const at = await park.kill(name);
      await park.untilReplaced(name, before);
      await sleep(4_000);
      kills.push({ name, at });
    };
    for (const name of [
      'gateway-gw-a',
      'nats',
      'ingest',
      'gateway-gw-b',
      'postgres',
      'gateway-gw-a',
      'nats',
      'ingest',
      'gateway-gw-b',
      'nats',
      'ingest',
      'gateway-gw-a',
    ])
      await kill(name);

    await until(
      () => kills.every(({ name, at }) => !name.startsWith('gateway-') || acceptsSince(name, at)),
      60_000,
      'every gateway that was killed accepts readings again',
    );
    const { served, accepted, stored } = await gather(park, points, file);
    // A broker that was killed hands on again what it had acknowledged; who is asked is asked anew.
    const { mqtt: _toldAgain, ...repeats } = byProtocol(repeatsOf(accepted), file);
    expect(Object.values(repeats).flat()).toEqual([]);
    expect(compareSets(accepted, stored)).toEqual({ lost: [], extra: [] });
    expectServed(goodOf(accepted), served);
    for (const gateway of ['gw-a', 'gw-b']) {
      const point = [...points.values()].find(({ name }) => name === watchedOf(gateway))!;
      const [ours, theirs] = [byPoint(accepted).get(point.name)!, byPoint(served).get(point.name)!];
      for (const { at } of kills.filter(({ name }) => name === `gateway-${gateway}`))
        await expectShownHole(point, at, ours, theirs);
    }
  });

  /** The point of a gateway whose holes are measured. */
  const watchedOf = (gateway: string): string => `${gateway.replace('gw-', '')}-main/active_power_total`;

  /** Whether a gateway has accepted a reading of its watched point after a moment, Unix ms. */
  const acceptsSince = (process: string, since: number): boolean => {
    const watched = watchedOf(process.replace('gateway-', ''));
    return readAccepted(park, points).some(({ point, at }) => point === watched && at > since);
  };

  /** Every sample is a value that the simulator told: of this point, as it shows it, and at the time. */
  function expectServed(good: readonly Entry[], served: readonly Entry[]): void {
    const [ours, theirs] = [byProtocol(good, file), byProtocol(served, file)];
    expect(unvouched(ours.modbus, theirs.modbus, windowMs)).toEqual([]);
    expect(unmatched(ours.bacnet, theirs.bacnet, apart)).toEqual([]);
    expect(unmatched(ours.opcua, theirs.opcua, apart)).toEqual([]);
    // Its devices cannot be asked: one telegram stands for every read until the next.
    expect(unheld(ours.mqtt, theirs.mqtt, apart.beforeMs)).toEqual([]);
  }

  /** The price of one gateway kill at `at`: bounded, and to be seen in the product. */
  async function expectShownHole(
    point: TestPoint,
    at: number,
    accepted: readonly Entry[],
    served: readonly Entry[],
  ) {
    const last = accepted.findLast((entry) => entry.at <= at)!;
    const first = accepted.find((entry) => entry.at > at)!;
    const around = served.filter((entry) => entry.at > last.at - 2_000 && entry.at <= first.at);
    const restartMs = first.at - at;
    for (const { from, to } of unacceptedSpans(accepted, around, windowMs))
      expect(to - from).toBeLessThanOrEqual(pollMs + restartMs);
    const query = new URLSearchParams({
      from: new Date(at - 60_000).toISOString(),
      to: new Date(at + 60_000).toISOString(),
    });
    const history = (await (await get(`/api/points/${point.id}/history?${query}`)).json()) as History;
    const shown = history.gaps.filter((gap) => Date.parse(gap.from) <= at && Date.parse(gap.to) >= at);
    // Shorter than what the product calls silence, it is none.
    const isSilence = first.at - last.at > point.heartbeatMs + 2 * point.pollMs;
    const what = `gap at ${new Date(at).toISOString()} in ${JSON.stringify(history.gaps)}`;
    expect(shown, what).toHaveLength(isSilence ? 1 : 0);
  }
});

describe('a park with its normal deadbands', () => {
  const [pollMs, heartbeatMs] = [1_000, 10_000];
  let file: string;
  let park: RunningPark;

  beforeAll(async () => {
    file = await paced('small.yaml', pollMs, heartbeatMs);
    park = await startPark({ park: file, args: ['--log-served', '--history-months', '0'] });
  }, 300_000);
  afterAll(async () => {
    await park?.stop();
    await rm(file, { force: true });
  });

  test('the stored series, held forward, stays within the deadband and is never silent longer than the heartbeat', async () => {
    await sleep(35_000);
    const points = await readPoints(park);
    const { cut, served, accepted, stored } = await gather(park, points, file);
    expect(compareSets(accepted, stored)).toEqual({ lost: [], extra: [] });
    expect(stored.length).toBeLessThan(served.length * 0.8);

    const deadbands = await deadbandsOf(park);
    const [storedBy, servedBy] = [byPoint(stored), byPoint(served)];
    for (const { id, name } of points.values()) {
      const deadband = deadbands.get(id)!;
      // What was told just before the cut may have been stamped after it.
      const rule = { deadband, heartbeatMs, pollMs: pollMs + windowMs, until: cut - windowMs };
      expect(deadbandFaults(storedBy.get(name)!, servedBy.get(name)!, rule), name).toEqual([]);
    }
  });
});

/** By point id, from the configuration that the gateways run. */
async function deadbandsOf({ run }: RunningPark): Promise<Map<string, number>> {
  const { parse } = await import('yaml');
  const configs = run.gateways.map(
    ({ home }) => parse(readFileSync(join(home, 'gateway.yaml'), 'utf8')) as GatewayYaml,
  );
  return new Map(
    configs.flatMap(({ connections }) =>
      connections.flatMap(({ devices }) =>
        devices.flatMap(({ points }) => points.map(({ id, deadband }) => [id, deadband] as const)),
      ),
    ),
  );
}

interface GatewayYaml {
  readonly connections: readonly {
    devices: readonly { points: readonly { id: string; deadband: number }[] }[];
  }[];
}

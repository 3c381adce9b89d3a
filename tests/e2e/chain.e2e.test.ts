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
  seriesDifferences,
  unacceptedSpans,
  unvouched,
} from './laws.ts';
import { readAccepted, readPoints, readServed, readStored, type TestPoint } from './three-sets.ts';

const smallPark = join(import.meta.dirname, '../../firmware-sim/parks/small.yaml');
/** From the request at the simulator to the sample's stamp: the driver's time-out is the limit. */
const windowMs = 1_100;

/** The small park at another pace than its templates'. */
async function paced(everyMs: number, heartbeatMs: number): Promise<string> {
  const file = join(tmpdir(), `parkline-park-${process.pid}-${everyMs}.yaml`);
  await writeFile(
    file,
    `${readFileSync(smallPark, 'utf8')}\npoll: { everyMs: ${everyMs}, heartbeatMs: ${heartbeatMs} }\n`,
  );
  return file;
}

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
  const pollMs = 250;
  let file: string;
  let park: RunningPark;
  let points: ReadonlyMap<string, TestPoint>;
  let get: Get;

  beforeAll(async () => {
    file = await paced(pollMs, pollMs);
    park = await startPark({ park: file, args: ['--report-every', '--log-served', '--history-months', '0'] });
    points = await readPoints(park);
    get = await park.login();
  }, 300_000);
  afterAll(async () => {
    await park?.stop();
    await rm(file, { force: true });
  });

  test('without faults every served value is accepted and stored once, on the right point', async () => {
    await sleep(15_000);
    const { served, accepted, stored, cut } = await gather(park, points, file);

    expect(accepted.length).toBeGreaterThan(1_000);
    expect(new Set(accepted.map(({ point }) => point)).size).toBe(points.size);
    expect(compareSets(accepted, stored)).toEqual({ lost: [], extra: [] });
    const good = accepted.filter(({ value }) => value !== null);
    const answered = served.filter(({ at }) => at <= cut - windowMs);
    expect(seriesDifferences(good, answered)).toEqual([]);
    expect(unvouched(good, served, windowMs)).toEqual([]);
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
      'gateway-gw-s',
      'nats',
      'ingest',
      'gateway-gw-s',
      'postgres',
      'gateway-gw-s',
      'nats',
      'ingest',
      'gateway-gw-s',
      'nats',
      'ingest',
      'gateway-gw-s',
    ])
      await kill(name);

    const { served, accepted, stored } = await gather(park, points, file);
    expect(compareSets(accepted, stored)).toEqual({ lost: [], extra: [] });
    expect(unvouched(accepted, served, windowMs)).toEqual([]);
    const point = [...points.values()].find(({ name }) => name === 's-main/active_power_total')!;
    const [ours, theirs] = [byPoint(accepted).get(point.name)!, byPoint(served).get(point.name)!];
    for (const { at } of kills.filter(({ name }) => name === 'gateway-gw-s'))
      await expectShownHole(point, at, ours, theirs);
  });

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
    expect(shown, `gap at ${new Date(at).toISOString()} in ${JSON.stringify(history.gaps)}`).toHaveLength(1);
  }
});

describe('a park with its normal deadbands', () => {
  const [pollMs, heartbeatMs] = [1_000, 10_000];
  let file: string;
  let park: RunningPark;

  beforeAll(async () => {
    file = await paced(pollMs, heartbeatMs);
    park = await startPark({ park: file, args: ['--log-served', '--history-months', '0'] });
  }, 300_000);
  afterAll(async () => {
    await park?.stop();
    await rm(file, { force: true });
  });

  test('the stored series, held forward, stays within the deadband and is never silent longer than the heartbeat', async () => {
    await sleep(35_000);
    const points = await readPoints(park);
    const { served, accepted, stored } = await gather(park, points, file);
    expect(compareSets(accepted, stored)).toEqual({ lost: [], extra: [] });
    expect(stored.length).toBeLessThan(served.length * 0.8);

    const deadbands = await deadbandsOf(park);
    const [storedBy, servedBy] = [byPoint(stored), byPoint(served)];
    for (const { id, name } of points.values()) {
      const rule = { deadband: deadbands.get(id)!, heartbeatMs, pollMs: pollMs + windowMs };
      const seen = servedBy.get(name)!.filter(({ at }) => at <= stored.at(-1)!.at);
      expect(deadbandFaults(storedBy.get(name)!, seen, rule), name).toEqual([]);
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

import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from '@parkline/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Get, type RunningPark, startPark, until } from '../support/park.ts';
import { gather, paced, windowMs } from './gather.ts';
import {
  byPoint,
  compareSets,
  type Entry,
  repeatsOf,
  seriesDifferences,
  unacceptedSpans,
  unheld,
  unmatched,
  unvouched,
  withoutRepeats,
} from './laws.ts';
import { byProtocol, readAccepted, readPoints, type TestPoint } from './three-sets.ts';

/**
 * The same for what a device may tell of its own accord, in both directions. Before the sample: a notification waits to be
 * published and to be taken in. After it: a reading that a push overtook is filed at the time its request began, when the
 * simulator had not served it yet.
 */
const apart = { beforeMs: 5_000, afterMs: 5_000 };

/** Whose devices also tell of their own accord. */
const pushing = ['bacnet', 'opcua', 'mqtt'] as const;

const goodOf = (entries: readonly Entry[]): Entry[] => entries.filter(({ value }) => value !== null);

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

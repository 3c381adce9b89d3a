import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningPark, startPark } from '../support/park.ts';
import { gather, paced, windowMs } from './gather.ts';
import { byPoint, compareSets, deadbandFaults } from './laws.ts';
import { readPoints } from './three-sets.ts';

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

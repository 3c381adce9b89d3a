import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { startMqttBench } from '../../../tests/support/mqtt.ts';
import { connectionTo, never, point } from './testing.ts';

/** A device tells ten times a second; silent for this long, its last word counts no more. */
const MAX_AGE_MS = 1_500;

async function setUp(): Promise<ConformanceBench> {
  const bench = await startMqttBench(['gate-a-1', 'gate-a-2']);
  const connection = connectionTo({ ...bench.place, timeoutMs: 5_000 });
  const driver = connection.device({ ...bench.paramsOf('gate-a-1'), maxAgeMs: MAX_AGE_MS });
  const good = [
    { ref: point('state:/open', { kind: 'state' }), value: 1 },
    { ref: point('state:/count/in'), value: 4711 },
    { ref: point('state:/air/t', { scale: 10 }), value: 213.7 },
  ];
  return {
    driver,
    good,
    refused: point('state:/broken'),
    // Who cannot be asked is silent when the last word has grown old.
    silence: async () => {
      bench.fault({ device: 'gate-a-1', fault: { kind: 'silence' } });
      await sleep(MAX_AGE_MS + 500);
    },
    speak: async () => bench.clear(),
    // A moment passes until the closed socket reaches the broker; what was told just before stands meanwhile.
    unplug: async () => {
      await bench.unplug();
      const answers = (): Promise<boolean> =>
        driver.read([good[0]!.ref], never()).then(
          () => true,
          () => false,
        );
      await expect.poll(answers, { timeout: 10_000 }).toBe(false);
    },
    plug: () => bench.plug(),
    patienceMs: 10_000,
    tearDown: async () => {
      await connection.close();
      await bench.stop();
    },
  };
}

describeConformance('MQTT', setUp);

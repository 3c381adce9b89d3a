import { type Connection, DriverError } from '@parkline/kit';
import { afterEach, expect, test } from 'vitest';
import { startBench } from '../../../tests/support/simulator.ts';
import { driver } from './index.ts';
import { gauge, never, quietLog } from './testing.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const PERIOD_MS = 1_500;
const PERIODS = 3;
const LIVE = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const DEAD = 10;

/** Worst wait of a live unit's poll, ms, over some periods in which every unit is polled, the dead one among them. */
async function worstWait(connection: Connection, isThere: (unit: number) => boolean): Promise<number> {
  const devices = [...LIVE, DEAD].map((unit) => ({ unit, device: connection.device({ unit }) }));
  const refs = ['hr:0:u16', 'hr:16:f32'].map((address) => gauge(address));
  let worst = 0;
  for (let period = 0; period < PERIODS; period += 1) {
    const began = performance.now();
    await Promise.all(
      devices.map(async ({ unit, device }) => {
        const samples = await device.read(refs, never()).catch((error: unknown) => error);
        if (unit === DEAD && !isThere(unit)) return void expect(samples).toBeInstanceOf(DriverError);
        expect(samples).toMatchObject([{ value: 65_535 }, { value: 230.1 }]);
        worst = Math.max(worst, performance.now() - began);
      }),
    );
    const restMs = PERIOD_MS - (performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, restMs)));
  }
  return worst;
}

test.concurrent.for(['tcp', 'rtu-over-tcp'] as const)(
  'on %s one dead unit of ten, with time-outs as they are by default, costs the others less than a poll period',
  { timeout: 30_000 },
  async (transport, { expect: check }) => {
    const bench = await startBench({ transport, buses: { line: [...LIVE, DEAD] }, latencyMs: 5 });
    const connection = driver.openConnection(
      { transport, ...bench.ports['line'] },
      { now: Date.now, log: quietLog, dataDir: '/nowhere' },
    );
    endings.push(
      () => bench.stop(),
      () => connection.close(),
    );
    bench.fault({ bus: 'line', unit: DEAD, fault: { kind: 'silence' } });
    const worst = await worstWait(connection, (unit) => unit !== DEAD);
    check(worst).toBeLessThan(PERIOD_MS);
    // One time-out at the first poll, and by the back-off (2 s and more) one more at most while this ran.
    check(bench.served.filter(({ unit }) => unit === DEAD).length).toBeLessThanOrEqual(3);
  },
);

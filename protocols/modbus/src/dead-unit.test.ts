import { type Connection, DriverError } from '@parkline/kit';
import { expect, test } from 'vitest';
import { startSerialBench } from '../../../tests/support/serial-bench.ts';
import { startBench } from '../../../tests/support/simulator.ts';
import { driver } from './index.ts';
import { gauge, never, quietLog } from './testing.ts';

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

test.concurrent.for(['tcp', 'rtu-over-tcp', 'rtu'] as const)(
  'on %s one dead unit of ten, with time-outs as they are by default, costs the others less than a poll period',
  { timeout: 30_000, retry: 2 }, // A busy machine holds everybody up by itself.
  async (transport, { expect: check, onTestFinished, skip }) => {
    const spoken = transport === 'rtu' ? 'rtu-over-tcp' : transport;
    const bench = await startBench({ transport: spoken, buses: { line: [...LIVE, DEAD] }, latencyMs: 5 });
    onTestFinished(() => bench.stop());
    const place = bench.ports['line']!;
    const port = transport === 'rtu' ? await startSerialBench(place) : undefined;
    if (port && 'why' in port) return skip(port.why);
    if (port) onTestFinished(() => port.close());
    const connection = driver.openConnection(
      { transport, ...(port ? { path: port.path, baudRate: 38_400 } : place) },
      { now: Date.now, log: quietLog, dataDir: '/nowhere' },
    );
    onTestFinished(() => connection.close());
    bench.fault({ bus: 'line', unit: DEAD, fault: { kind: 'silence' } });
    const worst = await worstWait(connection, (unit) => unit !== DEAD);
    check(worst).toBeLessThan(PERIOD_MS);
    // One time-out at the first poll; by the back-off (2 s and more) one or two more at most while this ran.
    check(bench.served.filter(({ unit }) => unit === DEAD).length).toBeLessThanOrEqual(3);
  },
);

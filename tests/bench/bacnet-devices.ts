// The controllers of the BACnet benchmark, a process of its own: `node bacnet-devices.ts <devices> <points>`. Prints where Who-Is is
// heard, and ends with its standard input.
import { once } from 'node:events';
import { startBacnetBench } from '../support/bacnet.ts';

const [devices = 1, points = 1] = process.argv.slice(2).map(Number);

const bench = await startBacnetBench(
  Array.from({ length: devices }, (_, n) => ({
    instance: n + 1,
    objects: Object.fromEntries(
      Array.from({ length: points }, (_, p) => [`AI-${p + 1}`, n * 1_000 + p + 0.5]),
    ),
  })),
  { isLogged: false },
);
process.stdout.write(`${JSON.stringify(bench.place)}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
await bench.stop();

// Bytes on the wire for a thousand readings, envelope and signature included, against one named JSON object each.
import { type BenchResult, machine, median, round, spread } from './report.ts';
import { benchBatcher, benchOutbox, pointId, readings, SAMPLES } from './wire-load.ts';

const RUNS = 7;
const ROUNDS = 50;

interface Tally {
  readonly bytes: number;
  readonly cpuUs: number;
}

export function run(progress: (text: string) => void): Promise<BenchResult> {
  const [ours, raw]: [Tally[], Tally[]] = [[], []];
  for (let n = 0; n < RUNS; n += 1) {
    const loads = Array.from({ length: ROUNDS }, (_, r) => readings(n * ROUNDS + r));
    const sides = [
      () => ours.push(measure(() => sealed(loads))),
      () => raw.push(measure(() => named(loads))),
    ];
    for (const side of n % 2 === 0 ? sides : sides.reverse()) side();
    progress(`run ${n + 1}: ${perSample(ours[n]!)} B a sample, named objects ${perSample(raw[n]!)}`);
  }
  return Promise.resolve(summary(ours, raw));
}

type Loads = readonly ReturnType<typeof readings>[];

/** Messages as the gateway writes them to its disk and sends them: encoded, compressed, signed. The point table is sent once. */
function sealed(loads: Loads): number {
  using bench = benchOutbox();
  const batcher = benchBatcher(bench.outbox);
  for (const load of loads) load.forEach(batcher.add);
  const [table] = bench.outbox.waitingTables();
  return bench.outbox
    .waiting(0, 2 * ROUNDS)
    .filter((seq) => seq !== table)
    .reduce((sum, seq) => sum + bench.outbox.envelope(seq)!.length, 0);
}

function named(loads: Loads): number {
  let bytes = 0;
  for (const load of loads) {
    const rows = load.map(({ point, at, value, quality }) => ({
      ...{ pointId: pointId(point), ts: new Date(at).toISOString(), value, quality },
    }));
    bytes += Buffer.byteLength(JSON.stringify(rows));
  }
  return bytes;
}

function measure(work: () => number): Tally {
  const before = process.cpuUsage();
  const bytes = work();
  const { user, system } = process.cpuUsage(before);
  return { bytes, cpuUs: user + system };
}

const count = ROUNDS * SAMPLES;
const perSample = ({ bytes }: Tally): number => round(bytes / count);

function summary(ours: readonly Tally[], raw: readonly Tally[]): BenchResult {
  const ratios = ours.map(({ bytes }, n) => bytes / raw[n]!.bytes);
  const side = (runs: readonly Tally[]) => ({
    median: round(median(runs.map(({ bytes }) => bytes / count))),
    unit: 'B/sample',
    cpu_us_per_item: round(median(runs.map(({ cpuUs }) => cpuUs / count))),
  });
  return {
    ...{ bench: 'wire', ratio: round(median(ratios)), better: 'lower', spread: round(spread(ratios)) },
    ...{ runs: RUNS, ours: side(ours), raw: side(raw), machine: machine() },
    bytes_per_sample: round(median(ours.map(({ bytes }) => bytes / count))),
    versions: { node: process.version },
    notes:
      `${SAMPLES} readings a message: 250 points read four times. Ours is the whole message with head and signature, and its CPU ` +
      `time includes the commit to disk; raw is JSON with one object a reading, uncompressed.`,
  };
}

// npm run bench -- <name> [--json]: compares one part of Parkline with the plainest way to do the same, in one run.
import { type Bench, type BenchResult, MissingPeer } from './report.ts';

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  backlog: () => import('./backlog.ts'),
  bacnet: () => import('./bacnet.ts'),
  ingest: () => import('./ingest.ts'),
  modbus: () => import('./modbus.ts'),
  mqtt: () => import('./mqtt.ts'),
  opcua: () => import('./opcua.ts'),
  outbox: () => import('./outbox.ts'),
  wire: () => import('./wire.ts'),
};

const [name = '', ...options] = process.argv.slice(2);
const json = options.includes('--json');
const load = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (!load || options.some((option) => option !== '--json')) {
  process.stderr.write(`usage: npm run bench -- <${Object.keys(benches).join('|')}> [--json]\n`);
  process.exit(2);
}

try {
  const bench = await load();
  const result = await bench.run((text) => process.stderr.write(`${text}\n`));
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : table(result));
} catch (error) {
  if (!(error instanceof MissingPeer)) throw error;
  process.stdout.write(`${JSON.stringify({ bench: name, skipped: error.message })}\n`);
  process.exitCode = 3;
}

function table({ bench, ratio, better, spread, runs, ours, raw, machine, notes }: BenchResult): string {
  const side = ({ median, unit, cpu_us_per_item: cpu }: BenchResult['ours']) =>
    `${median.toLocaleString('en')} ${unit}, ${cpu} µs CPU each`;
  return [
    `${bench}: ratio ${ratio} (${better} is better), spread ${spread}, ${runs} runs`,
    `  ours ${side(ours)}`,
    `  raw  ${side(raw)}`,
    `  ${machine}`,
    `  ${notes}\n`,
  ].join('\n');
}

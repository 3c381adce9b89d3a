// npm run bench -- <name> [--json] [--minutes n]: compares one part of Parkline with the plainest way to do the same, in one run.
import { parseArgs } from 'node:util';
import { type Bench, type BenchResult, MissingPeer } from './report.ts';

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  backlog: () => import('./backlog.ts'),
  bacnet: () => import('./bacnet.ts'),
  gateway: () => import('./gateway.ts'),
  import: () => import('./import.ts'),
  ingest: () => import('./ingest.ts'),
  modbus: () => import('./modbus.ts'),
  mqtt: () => import('./mqtt.ts'),
  opcua: () => import('./opcua.ts'),
  outbox: () => import('./outbox.ts'),
  revoke: () => import('./revoke.ts'),
  soak: () => import('./soak.ts'),
  wire: () => import('./wire.ts'),
};

/** Those that watch for a time of one's choice. */
const lasting = new Set(['soak']);

const asked = read(process.argv.slice(2));
if (!asked) {
  process.stderr.write(
    `usage: npm run bench -- <${Object.keys(benches).join('|')}> [--json]; soak also [--minutes n]\n`,
  );
  process.exit(2);
}
const { name, load, json, options } = asked;

try {
  const bench = await load();
  const result = await bench.run((text) => process.stderr.write(`${text}\n`), options);
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : table(result));
} catch (error) {
  if (!(error instanceof MissingPeer)) throw error;
  process.stdout.write(`${JSON.stringify({ bench: name, skipped: error.message })}\n`);
  process.exitCode = 3;
}

/** @returns undefined when it is no benchmark or no option of it. */
function read(args: string[]) {
  try {
    const known = { json: { type: 'boolean' }, minutes: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args, options: known, allowPositionals: true });
    const [name = '', ...more] = positionals;
    const load = Object.hasOwn(benches, name) ? benches[name] : undefined;
    const minutes = Number(values.minutes ?? NaN);
    const isLasting =
      values.minutes === undefined || (lasting.has(name) && minutes > 0 && minutes < Infinity);
    if (!load || more.length > 0 || !isLasting) return undefined;
    return {
      name,
      load,
      json: values.json === true,
      options: values.minutes === undefined ? {} : { minutes },
    };
  } catch {
    return undefined; // An option nobody knows.
  }
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

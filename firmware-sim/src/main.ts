import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { pointsOf } from './points.ts';
import { readPark } from './park.ts';
import { readPorts, writePorts } from './ports.ts';
import { createRequestLog, noLog } from './request-log.ts';
import { createSimulator } from './simulator.ts';

interface Options {
  readonly park: string;
  readonly ports: string;
  readonly log?: string;
  readonly secrets?: string;
  readonly seed: string;
}

const options = new Command('firmware-sim')
  .description('play the devices of a park on loopback')
  .requiredOption('--park <file>', 'park file')
  .requiredOption('--ports <file>', 'where the buses listen; reused when it exists, else written')
  .option('--log <file>', 'append every request served as a line of JSON')
  .option('--secrets <file>', 'JSON: the token of each device that logs in at a gateway, by its key')
  .option('--seed <number>', 'seed of the noise', '1')
  .parse()
  .opts<Options>();

const say = (level: 'info' | 'fatal', msg: string, facts: object = {}): void => {
  const line = JSON.stringify({
    level: level === 'info' ? 30 : 60,
    time: Date.now(),
    name: 'firmware-sim',
    ...facts,
    msg,
  });
  process.stdout.write(`${line}\n`);
};

try {
  const log = options.log ? createRequestLog(options.log) : noLog;
  const park = readPark(options.park);
  const secrets = options.secrets
    ? (JSON.parse(readFileSync(options.secrets, 'utf8')) as Record<string, string>)
    : {};
  const dataDir = dirname(resolve(options.ports));
  const simulator = createSimulator({ park, seed: Number(options.seed), log, secrets, dataDir });
  const ports = await simulator.start(readPorts(options.ports));
  writePorts(options.ports, ports);

  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    say('info', 'stopping', { signal });
    await simulator.stop();
    log.close();
  };
  process.once('SIGTERM', (signal) => void stop(signal)).once('SIGINT', (signal) => void stop(signal));
  const { meters, equipment, buses } = park;
  const count = { meters: meters.length, equipment: equipment.length, buses: buses.length };
  say('info', 'ready', { park: park.key, ...count, points: pointsOf(park) });
} catch (error) {
  say('fatal', error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

import { parseArgs } from 'node:util';
import { createRegistry } from '@parkline/kit';
import pino from 'pino';
import { createAgent } from './agent.ts';
import { systemClock, systemWait } from './base/clock.ts';
import { createFailpoint, killSelf } from './base/failpoint.ts';
import { loadHome } from './config/load.ts';
import { readEnv } from './config/env.ts';
import manifest from '../package.json' with { type: 'json' };

/** Loaded when a connection names them: a gateway without a protocol does not carry its library. */
const drivers = createRegistry([
  ['modbus', () => import('@parkline/modbus')],
  ['bacnet', () => import('@parkline/bacnet')],
  ['opcua', () => import('@parkline/opcua')],
  ['mqtt', () => import('@parkline/mqtt')],
]);

/** A stop that takes longer is cut short; what is on disk is safe. */
const STOP_LIMIT_MS = 4_500;

const env = readEnv(process.env);
const log = pino({ level: env.LOG_LEVEL, base: { process: 'gateway' } });
const stop = new AbortController();

function onSignal(signal: NodeJS.Signals): void {
  log.info({ signal }, 'stopping');
  stop.abort();
  exitSoon();
}

function exitSoon(): void {
  setTimeout(() => process.exit(), STOP_LIMIT_MS).unref();
}

try {
  const { values } = parseArgs({ options: { home: { type: 'string' } } });
  if (!values.home) throw new Error('usage: node edge/src/main.ts --home DIR');
  const home = loadHome(values.home, env);
  const agent = await createAgent({
    home,
    version: manifest.version,
    loadDriver: drivers.load,
    clock: systemClock,
    wait: systemWait,
    random: Math.random,
    log: log.child({ gatewayId: home.config.gatewayId }),
    failpoint: createFailpoint(env.PARKLINE_FAILPOINT, killSelf),
  });
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  const running = agent.run(stop.signal);
  log.info({ gatewayId: home.config.gatewayId, tookMs: Math.round(performance.now()) }, 'ready');
  await running;
  log.info('stopped');
} catch (err) {
  log.fatal({ err }, 'gateway cannot run');
  process.exitCode = 1;
  exitSoon();
}

import { parseArgs } from 'node:util';
import pino, { type Logger } from 'pino';
import { createAgent } from './agent.ts';
import { systemClock, systemWait } from './base/clock.ts';
import { createFailpoint, killSelf } from './base/failpoint.ts';
import { createFaultLog } from './base/fault-log.ts';
import { readEnv } from './config/env.ts';
import { loadHome } from './config/load.ts';
import { driverModules } from './drivers.ts';
import { createHosts } from './host/hosts.ts';
import manifest from '../package.json' with { type: 'json' };

/** A stop that takes longer is cut short; what is on disk is safe. */
const STOP_LIMIT_MS = 4_500;

/** The gateway as a process: until SIGTERM or SIGINT, or until it cannot run. */
export async function runGateway(): Promise<void> {
  const env = readEnv(process.env);
  const log = pino({ level: env.LOG_LEVEL, base: { process: 'gateway' } });
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopping');
    stop.abort();
    exitSoon();
  };
  try {
    const { values } = parseArgs({ options: { home: { type: 'string' } } });
    if (!values.home) throw new Error('usage: node edge/src/main.ts --home DIR');
    const home = loadHome(values.home, env);
    const gatewayLog = log.child({ gatewayId: home.config.gatewayId });
    const hosts = createDriverHosts(gatewayLog);
    const agent = await createAgent({
      home,
      version: manifest.version,
      loadDriver: hosts.load,
      clock: systemClock,
      wait: systemWait,
      random: Math.random,
      log: gatewayLog,
      failpoint: createFailpoint(env.PARKLINE_FAILPOINT, killSelf),
    });
    process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
    const running = agent.run(stop.signal);
    log.info({ gatewayId: home.config.gatewayId, tookMs: Math.round(performance.now()) }, 'ready');
    await running.finally(hosts.close);
    log.info('stopped');
  } catch (err) {
    log.fatal({ err }, 'gateway cannot run');
    process.exitCode = 1;
    exitSoon();
  }
}

const createDriverHosts = (log: Logger) =>
  createHosts(driverModules, {
    ...{ clock: systemClock, wait: systemWait, random: Math.random, log },
    faults: createFaultLog(log, systemClock),
  });

function exitSoon(): void {
  setTimeout(() => process.exit(), STOP_LIMIT_MS).unref();
}

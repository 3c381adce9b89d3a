import { parseArgs } from 'node:util';
import pino, { type Logger } from 'pino';
import { createAgent } from './agent.ts';
import { systemClock, systemWait } from './base/clock.ts';
import { realDisk } from './base/disk.ts';
import { createFailpoint, killSelf } from './base/failpoint.ts';
import { createFaultLog } from './base/fault-log.ts';
import { markRunning } from './base/running.ts';
import { type Env, readEnv } from './config/env.ts';
import { startHome } from './config/start.ts';
import { openConfigStore } from './config/store.ts';
import { driverModules } from './drivers.ts';
import { createHosts } from './host/hosts.ts';
import { createLogRing, type LogRing } from './identity/log-ring.ts';
import { followParent } from './update/parent.ts';
import { openSlots, REPLACE_EXIT } from './update/slots.ts';
import manifest from '../package.json' with { type: 'json' };

/** A stop that takes longer is cut short; what is on disk is safe. */
const STOP_LIMIT_MS = 4_500;

/** The gateway as a process: until SIGTERM or SIGINT, or until it cannot run. */
export async function runGateway(): Promise<void> {
  const env = readEnv(process.env);
  const logs = createLogRing();
  const log = pino({ level: env.LOG_LEVEL, base: { process: 'gateway' }, hooks: { streamWrite: logs.take } });
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopping');
    stop.abort();
    exitSoon();
  };
  try {
    const { values } = parseArgs({ options: { home: { type: 'string' } } });
    if (!values.home) throw new Error('usage: node edge/src/main.ts --home DIR');
    process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
    if (env.PARKLINE_PROGRAM) void followParent(systemWait, () => onSignal('SIGTERM'), stop.signal);
    const end = await runHome(values.home, { env, log, logs, signal: stop.signal });
    log.info(end === 'stopped' ? 'stopped' : 'making way for another release');
    if (end === 'stopped') return;
    process.exitCode = REPLACE_EXIT;
    exitSoon();
  } catch (err) {
    log.fatal({ err }, 'gateway cannot run');
    process.exitCode = 1;
    exitSoon();
  }
}

interface Surroundings {
  readonly env: Env;
  readonly log: Logger;
  readonly logs: LogRing;
  readonly signal: AbortSignal;
}

/** Runs the gateway of one home, again and again while configurations ask for a new start. */
async function runHome(
  path: string,
  { env, log, logs, signal }: Surroundings,
): Promise<'stopped' | 'replace'> {
  const store = openConfigStore(path, realDisk);
  const onDiskFault = (err: unknown): void => {
    log.error({ err }, 'configuration cannot be written down: it is used as it is');
  };
  const start = { store, env, now: systemClock.now, onDiskFault };
  let home = startHome(path, start);
  const gatewayLog = log.child({ gatewayId: home.config.gatewayId });
  const hosts = createDriverHosts(gatewayLog);
  const unmark = markRunning(path);
  const failpoint = createFailpoint(env.PARKLINE_FAILPOINT, killSelf);
  const slots = env.PARKLINE_PROGRAM ? openSlots(env.PARKLINE_PROGRAM) : undefined;
  try {
    for (;;) {
      const agent = await createAgent({
        ...{
          home,
          configStore: store,
          logs,
          natsUrl: env.NATS_URL,
          version: manifest.version,
          slots,
          failpoint,
        },
        ...{ loadDriver: hosts.load, clock: systemClock, wait: systemWait, random: Math.random },
        log: log.child({ gatewayId: home.config.gatewayId }), // A claim gives it another.
      });
      const running = agent.run(signal);
      log.info({ gatewayId: home.config.gatewayId, tookMs: Math.round(performance.now()) }, 'ready');
      const end = await running;
      if (end !== 'restart') return end;
      log.info('starting again with another configuration');
      home = startHome(path, start);
    }
  } finally {
    unmark();
    await hosts.close();
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

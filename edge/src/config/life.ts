import type { Clock, Wait } from '../base/clock.ts';
import { isDiskFault } from '../base/disk.ts';
import type { FaultLog } from '../base/fault-log.ts';
import type { DeviceBoard } from '../health/devices.ts';
import type { EventLane } from '../pipeline/events.ts';
import { OutboxError } from '../pipeline/outbox.ts';
import { isLiveChange } from './diff.ts';
import { parseConfig } from './load.ts';
import type { GatewayConfig } from './schema.ts';
import type { ConfigSource } from './state.ts';
import { type ConfigStore, hashOf } from './store.ts';
import { checkWish, configEvent, requiredOf } from './wish.ts';

/** A new configuration must be healthy within this time, ms. */
const TRIAL_MS = 120_000;
/** It is not called healthy sooner after a start, ms: a process that dies of it dies before. */
const LEAST_MS = 5_000;
const TURN_MS = 1_000;
/** How often the length of a trial is written down, ms. */
const NOTE_MS = 5_000;

/** A configuration that somebody wants to be in force. */
export interface Wish {
  readonly yaml: string;
  readonly source: ConfigSource;
  /** Time of the cloud's offer, Unix ms of its clock; absent for others. */
  readonly offerAt?: number;
}

export interface ConfigLifeDeps {
  readonly store: ConfigStore;
  /** In force at the start. */
  readonly config: GatewayConfig;
  /** Wins over what a configuration says. */
  readonly natsUrl: string | undefined;
  readonly board: Pick<DeviceBoard, 'list' | 'silence'>;
  readonly isCloudConnected: () => boolean;
  /** Goes over to another configuration while everything runs. */
  readonly change: (config: GatewayConfig) => Promise<void>;
  /** Stops the gateway in order, so that it starts again with what lies in its home. */
  readonly restart: () => void;
  readonly events: EventLane;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly faults: FaultLog;
}

/** Puts new configurations into force, watches over each until it has proven itself, and takes it back when it does not. */
export interface ConfigLife {
  /** In force now. */
  config(): GatewayConfig;
  /** Takes an offer of the cloud; of several the newest. It waits while a trial is on. */
  offer(wish: Wish & { readonly offerAt: number }): void;
  /** Looks at the inbox and at the trial once a second, until `signal` aborts. A person on site does not wait for a trial. */
  run(signal: AbortSignal): Promise<void>;
}

export function createConfigLife(deps: ConfigLifeDeps): ConfigLife {
  const { store, board, clock, wait } = deps;
  let config = deps.config;
  let offered: (Wish & { readonly offerAt: number }) | undefined;
  const told = new Set<string>();
  const begun = clock.monotonic();
  let trial = { since: begun, before: store.state().trial?.spentMs ?? 0, notedAt: begun };

  const currentHash = (): string => hashOf(store.text(store.state().current));

  async function take({ yaml, source, offerAt }: Wish): Promise<void> {
    const [hash, at] = [hashOf(yaml), clock.now()];
    const checked = checkWish(yaml, config, deps.natsUrl);
    if (!checked.ok) {
      const event = configEvent(hash, 'refused', { at, why: checked.why });
      store.refuse({ yaml, source, at, offerAt, why: checked.why, event });
    } else if (hash === currentHash()) {
      if (offerAt !== undefined) store.confirm(offerAt, configEvent(hash, 'kept', { at }));
    } else {
      store.propose({
        ...{ yaml, source, at, offerAt, event: configEvent(hash, 'applied', { at }) },
        required: requiredOf(board.list(), checked.config, store.state().trial?.required),
        needsCloud: checked.config.nats.url !== config.nats.url && deps.isCloudConnected(),
      });
      const now = clock.monotonic();
      trial = { since: now, before: 0, notedAt: now };
      await go(checked.config);
    }
  }

  async function go(next: GatewayConfig): Promise<void> {
    const isLive = isLiveChange(config, next);
    config = next;
    if (isLive) await deps.change(next);
    else deps.restart();
  }

  /** What keeps the configuration on trial from being healthy, for a person; undefined: nothing. */
  function missing(required: readonly string[], needsCloud: boolean): string | undefined {
    const silence = board.silence(required);
    if (silence !== undefined) return silence;
    return needsCloud && !deps.isCloudConnected() ? 'the cloud was reached before and is not' : undefined;
  }

  async function judge(required: readonly string[], needsCloud: boolean): Promise<void> {
    const now = clock.monotonic();
    const ranMs = now - trial.since;
    const ageMs = trial.before + ranMs;
    const why = missing(required, needsCloud);
    if (why === undefined && ranMs >= LEAST_MS) {
      store.keep(configEvent(currentHash(), 'kept', { at: clock.now() }));
    } else if (why !== undefined && ageMs >= TRIAL_MS) await rollBack(why);
    else if (now - trial.notedAt >= NOTE_MS) {
      trial.notedAt = now;
      store.spent(ageMs);
    }
  }

  async function rollBack(why: string): Promise<void> {
    const event = configEvent(currentHash(), 'rolled-back', { at: clock.now(), why });
    const previous = store.rollBack(why, event);
    deps.faults.fault('config', 'configuration rolled back', { why });
    await go(parseConfig(store.text(previous), deps.natsUrl));
  }

  /** What the disk did not take half-way before. */
  async function finish(): Promise<void> {
    store.recover();
    const now = clock.monotonic();
    trial = { since: now, before: 0, notedAt: now };
    await go(parseConfig(store.text(store.state().current), deps.natsUrl));
  }

  async function turn(): Promise<void> {
    if (store.state().replacing !== null) return finish();
    const yaml = store.inbox();
    if (yaml !== undefined) {
      await take({ yaml, source: 'local' });
      store.clearInbox(); // A kill before this only shows the same text again.
      return;
    }
    const { trial: onTrial, offerAt } = store.state();
    if (onTrial) return judge(onTrial.required, onTrial.needsCloud);
    const offer = offered;
    offered = undefined;
    if (offer && offer.offerAt > offerAt) await take(offer);
  }

  return {
    config: () => config,
    offer(wish) {
      if (wish.offerAt > (offered?.offerAt ?? store.state().offerAt)) offered = wish;
    },
    async run(signal) {
      while (!signal.aborted) {
        try {
          await turn();
          tell(deps, told);
          deps.faults.over('config-disk', 'configurations can be written down again');
        } catch (err) {
          if (!isDiskFault(err)) throw err;
          deps.faults.fault('config-disk', 'configuration cannot be written down now', { err });
        }
        await wait(TURN_MS, signal);
      }
    },
  };
}

/** What happened waits in the store until the outbox has it. `told` remembers what it has while the store cannot. */
function tell({ store, events, faults }: ConfigLifeDeps, told: Set<string>): void {
  const { untold } = store.state();
  if (untold.length === 0) return;
  try {
    for (const event of untold) {
      if (told.has(event.id)) continue;
      events.add(event);
      told.add(event.id);
    }
  } catch (err) {
    if (!(err instanceof OutboxError) || err.code !== 'disk') throw err;
    faults.fault('config-event', 'what became of a configuration cannot be written down now', { err });
  }
  if (told.size === 0) return;
  store.told(told);
  told.clear();
}

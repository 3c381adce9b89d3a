import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayHealth } from '@parkline/contract';
import { isDiskFault, realDisk } from '../base/disk.ts';
import { lastHealth } from '../health/file.ts';
import { openIdentityStore } from '../identity/store.ts';
import { ConfigError, type Home, loadHome, parseConfig } from './load.ts';
import type { GatewayConfig } from './schema.ts';
import type { ConfigSource } from './state.ts';
import { type ConfigStore, hashOf } from './store.ts';
import { checkWish, configEvent, requiredOf } from './wish.ts';

/** Starts of the gateway without reaching health before a trial is over. */
const MOST_STARTS = 3;

export interface StartDeps {
  readonly store: ConfigStore;
  readonly env: { NATS_URL?: string | undefined };
  /** Unix ms. */
  readonly now: () => number;
  /** The disk refuses: the gateway starts with gateway.yaml as it is. */
  readonly onDiskFault: (error: unknown) => void;
}

/**
 * Settles which configuration a gateway starts with, and reads its home: finishes what a kill interrupted, takes note of a
 * gateway.yaml that somebody edited and of what lies in the inbox (both on trial), and gives up a trial that was started three
 * times without becoming healthy.
 * @throws ConfigError listing all faults of the home; nothing is changed then but what a kill had interrupted.
 */
export function startHome(path: string, deps: StartDeps): Home {
  const { store, env } = deps;
  settling(deps, () => {
    openIdentityStore(path, realDisk).settle();
    store.recover();
  });
  const home = loadHome(path, env);
  const before = readYaml(path);
  settling(deps, () => {
    takeEdited(path, home, deps);
    if (store.state().trial === null) takeInbox(home, deps);
    store.started();
    giveUp(deps);
  });
  return readYaml(path) === before ? home : loadHome(path, env);
}

/** A disk that is full must not keep the gateway from reading. */
function settling({ onDiskFault }: StartDeps, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isDiskFault(error)) throw error;
    onDiskFault(error);
  }
}

const readYaml = (path: string): string => readFileSync(join(path, 'gateway.yaml'), 'utf8');

/** gateway.yaml is not the text that is in force: a person has been here, or it is the first. */
function takeEdited(path: string, { config, healthPath }: Home, deps: StartDeps): void {
  const { store, now } = deps;
  const yaml = readYaml(path);
  const { current, history } = store.state();
  if (history.find(({ n }) => n === current)?.hash === hashOf(yaml)) return;
  const previous = current > 0 ? readVersion(store, current) : undefined;
  // Nothing to go back to, or only the configuration of somebody else.
  if (previous?.gatewayId !== config.gatewayId) store.adopt(yaml, now());
  else propose(yaml, 'file', { config, devices: lastSeen(healthPath) }, deps);
}

function readVersion(store: ConfigStore, n: number): GatewayConfig | undefined {
  try {
    return parseConfig(store.text(n));
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function takeInbox(home: Home, deps: StartDeps): void {
  const { store, env, now } = deps;
  const yaml = store.inbox();
  if (yaml === undefined) return;
  const checked = checkWish(yaml, home.config, env.NATS_URL);
  const at = now();
  if (!checked.ok) {
    const event = configEvent(hashOf(yaml), 'refused', { at, why: checked.why });
    store.refuse({ yaml, source: 'local', at, why: checked.why, event });
  } else if (hashOf(yaml) !== hashOf(store.text(store.state().current)))
    propose(yaml, 'local', { config: checked.config, devices: lastSeen(home.healthPath) }, deps);
  store.clearInbox();
}

function propose(
  yaml: string,
  source: ConfigSource,
  { config, devices }: { config: GatewayConfig; devices: GatewayHealth['devices'] },
  { store, now }: StartDeps,
): void {
  const at = now();
  const event = configEvent(hashOf(yaml), 'applied', { at });
  store.propose({
    yaml,
    source,
    at,
    event,
    required: requiredOf(devices, config, store.state().trial?.required),
    needsCloud: false,
  });
}

/** The devices as the gateway saw them before it stopped, however long ago. */
const lastSeen = (healthPath: string): GatewayHealth['devices'] => lastHealth(healthPath)?.devices ?? [];

function giveUp({ store, now }: StartDeps): void {
  const { trial, current, history } = store.state();
  if (!trial || trial.starts <= MOST_STARTS) return;
  const why = `started ${MOST_STARTS} times without becoming healthy`;
  const hash = history.find(({ n }) => n === current)?.hash ?? hashOf(store.text(current));
  store.rollBack(why, configEvent(hash, 'rolled-back', { at: now(), why }));
}

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayEvent } from '@parkline/contract';
import type { Disk } from '../base/disk.ts';
import { ConfigError } from './load.ts';
import { type ConfigSource, type ConfigState, type ConfigVersion, readState } from './state.ts';

/** Versions whose text is kept; older ones are only named in the history. */
const KEPT_VERSIONS = 20;
const MOST_HISTORY = 200;

/** A text that is to be in force. */
export interface Proposal {
  readonly yaml: string;
  readonly source: ConfigSource;
  /** Unix ms. */
  readonly at: number;
  /** Equipment ids of the devices that must answer again. */
  readonly required: readonly string[];
  readonly needsCloud: boolean;
  /** Time of the cloud's offer; absent for others. */
  readonly offerAt?: number | undefined;
  readonly event: GatewayEvent;
}

/** A text that is not to be in force. */
export interface Refusal extends Pick<Proposal, 'yaml' | 'source' | 'at' | 'offerAt' | 'event'> {
  readonly why: string;
}

/**
 * The configurations of a gateway: gateway.yaml in its home is the one in force, `config/<n>.yaml` are the texts of the versions
 * and `config/state.json` says where in their life they are. Each step replaces one file whole, so a kill or power cut between
 * any two leaves the old or the new state, and `recover` finishes what was begun.
 */
export interface ConfigStore {
  state(): ConfigState;
  /** Text of a version. @throws ConfigError when it is not kept. */
  text(n: number): string;
  /** Finishes what a kill interrupted. Call it before gateway.yaml is read. */
  recover(): void;
  /** Takes note of the gateway.yaml that lies there, the first of this gateway. */
  adopt(yaml: string, at: number): void;
  /** Puts a new version into force, on trial. When gateway.yaml is this text already, it only becomes a version. @returns its number. */
  propose(proposal: Proposal): number;
  /** Counts a start of the gateway while a trial is on. */
  started(): void;
  /** Writes down how long the trial has lasted, ms. */
  spent(ms: number): void;
  /** The trial is over and good. */
  keep(event: GatewayEvent): void;
  /** The trial is over: the version before is in force again. @returns its number. */
  rollBack(why: string, event: GatewayEvent): number;
  /** Notes that a text was not taken. */
  refuse(refusal: Refusal): void;
  /** The cloud offers what is in force already. */
  confirm(offerAt: number, event: GatewayEvent): void;
  /** The events with these ids are on their way. */
  told(ids: ReadonlySet<string>): void;
  /** What the command line wants to be in force; undefined: nothing, or nothing that can be read. */
  inbox(): string | undefined;
  clearInbox(): void;
}

/** In the home. */
export const CONFIG_FOLDER = 'config';
/** In that folder. The command line renames its file to this. */
export const INBOX_FILE = 'inbox.yaml';
export const STATE_FILE = 'state.json';

export const hashOf = (yaml: string): string => createHash('sha256').update(yaml).digest('hex');

/** Path of the text of a version. */
export const versionPath = (home: string, n: number): string => join(home, CONFIG_FOLDER, `${n}.yaml`);

/** @throws ConfigError when state.json cannot be read. */
export function openConfigStore(home: string, disk: Disk): ConfigStore {
  const folder = join(home, CONFIG_FOLDER);
  const statePath = join(folder, STATE_FILE);
  const yamlPath = join(home, 'gateway.yaml');
  const inboxPath = join(folder, INBOX_FILE);
  let state = readState(statePath);

  function save(change: Partial<ConfigState>): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const next = { ...state, ...change };
    disk.replace(statePath, `${JSON.stringify(next)}\n`);
    state = next;
  }

  function text(n: number): string {
    try {
      return readFileSync(versionPath(home, n), 'utf8');
    } catch (cause) {
      throw new ConfigError([`version ${n} is not kept: ${(cause as Error).message}`]);
    }
  }

  const yamlHash = (): string | null =>
    existsSync(yamlPath) ? hashOf(readFileSync(yamlPath, 'utf8')) : null;

  /** Second half of every change: the state says what gateway.yaml is to be, and it becomes it. */
  function replaceYaml(): void {
    const wanted = text(state.current);
    if (yamlHash() !== hashOf(wanted)) disk.replace(yamlPath, wanted);
    save({ replacing: null });
  }

  /** Keeps the text of a version. @returns its line, and the history with it. */
  function add(yaml: string, about: Omit<ConfigVersion, 'n' | 'hash'>) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const n = (state.history.at(-1)?.n ?? 0) + 1;
    disk.replace(versionPath(home, n), yaml);
    const line: ConfigVersion = { n, hash: hashOf(yaml), ...about };
    return { n, history: [...state.history, line].slice(-MOST_HISTORY) };
  }

  const marked = (n: number, change: Partial<ConfigVersion>): ConfigVersion[] =>
    state.history.map((line) => (line.n === n ? { ...line, ...change } : line));

  function forgetOld(): void {
    const newest = state.history.at(-1)?.n ?? 0;
    for (const { n } of state.history)
      if (n <= newest - KEPT_VERSIONS && n !== state.current) disk.remove(versionPath(home, n));
  }

  const untoldWith = (event: GatewayEvent): GatewayEvent[] => [...state.untold, event];

  return {
    state: () => state,
    text,
    recover() {
      if (state.replacing === null) return;
      // Any other hash: it is done already, or somebody has edited the file since.
      if (yamlHash() === state.replacing) replaceYaml();
      else save({ replacing: null });
    },
    adopt(yaml, at) {
      const { n, history } = add(yaml, { at, source: 'file', state: 'kept', why: '' });
      save({ current: n, trial: null, replacing: null, history });
    },
    propose({ yaml, source, at, required, needsCloud, offerAt = state.offerAt, event }) {
      const previous = state.trial?.previous ?? state.current;
      const { n, history } = add(yaml, { at, source, state: 'applied', why: '' });
      const overtaken = (line: ConfigVersion): ConfigVersion =>
        line.state === 'applied' && line.n !== n
          ? { ...line, state: 'rolled-back', why: `version ${n} came before its trial was over` }
          : line;
      save({
        ...{ current: n, replacing: yamlHash(), offerAt, untold: untoldWith(event) },
        trial: { previous, starts: 0, spentMs: 0, required: [...required], needsCloud },
        history: history.map(overtaken),
      });
      replaceYaml();
      return n;
    },
    started() {
      if (state.trial) save({ trial: { ...state.trial, starts: state.trial.starts + 1 } });
    },
    spent(spentMs) {
      if (state.trial) save({ trial: { ...state.trial, spentMs } });
    },
    keep(event) {
      save({ trial: null, history: marked(state.current, { state: 'kept' }), untold: untoldWith(event) });
      forgetOld();
    },
    rollBack(why, event) {
      const { trial, current } = state;
      if (!trial) throw new Error('there is no trial to roll back');
      save({
        ...{ current: trial.previous, trial: null, replacing: yamlHash(), untold: untoldWith(event) },
        history: marked(current, { state: 'rolled-back', why }),
      });
      replaceYaml();
      return trial.previous;
    },
    refuse({ yaml, source, at, offerAt = state.offerAt, event, why }) {
      const { history } = add(yaml, { at, source, state: 'refused', why });
      save({ history, offerAt, untold: untoldWith(event) });
      forgetOld();
    },
    confirm(offerAt, event) {
      save({ offerAt, untold: untoldWith(event) });
    },
    told(ids) {
      save({ untold: state.untold.filter(({ id }) => !ids.has(id)) });
    },
    inbox() {
      try {
        return readFileSync(inboxPath, 'utf8');
      } catch {
        return undefined; // Mostly there is none; one that belongs to somebody else must not stop the trial that is on.
      }
    },
    clearInbox() {
      disk.remove(inboxPath);
    },
  };
}

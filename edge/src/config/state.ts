import { existsSync, readFileSync } from 'node:fs';
import { GatewayEvent } from '@parkline/contract';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { ConfigError } from './load.ts';

const ConfigSource = Type.Union([Type.Literal('file'), Type.Literal('local'), Type.Literal('cloud')]);
/** file: gateway.yaml was edited. local: from the command line. cloud: offered by the cloud. */
export type ConfigSource = Static<typeof ConfigSource>;

const ConfigVersion = Type.Object({
  /** Counts all texts, also those that were refused. */
  n: Type.Integer({ minimum: 1 }),
  /** SHA-256 of the text, hex. */
  hash: Type.String(),
  /** Unix ms of the gateway's clock. */
  at: Type.Integer(),
  source: ConfigSource,
  /** applied: on trial. */
  state: Type.Union([
    Type.Literal('applied'),
    Type.Literal('kept'),
    Type.Literal('rolled-back'),
    Type.Literal('refused'),
  ]),
  /** Why it was refused or rolled back, for a person; empty otherwise. */
  why: Type.String(),
});
export type ConfigVersion = Static<typeof ConfigVersion>;

const Trial = Type.Object({
  /** Goes back into force when this trial fails. */
  previous: Type.Integer({ minimum: 1 }),
  /** Starts of the gateway since the trial began. */
  starts: Type.Integer({ minimum: 0 }),
  /** Time on trial before the process that runs now, ms. */
  spentMs: Type.Number({ minimum: 0 }),
  /** Equipment ids of the devices that must answer again. */
  required: Type.Array(Type.String()),
  /** The cloud must be reached again: it was before, at another address. */
  needsCloud: Type.Boolean(),
});
export type Trial = Static<typeof Trial>;

const ConfigState = Type.Object({
  /** Version in force; 0 before the first. */
  current: Type.Integer({ minimum: 0 }),
  trial: Type.Union([Trial, Type.Null()]),
  /** Hash of the gateway.yaml that the version in force is about to replace. */
  replacing: Type.Union([Type.String(), Type.Null()]),
  /** Time of the newest offer of the cloud that was looked at, Unix ms of its clock. */
  offerAt: Type.Integer(),
  /** Events that are not yet on their way to the cloud, oldest first. */
  untold: Type.Array(GatewayEvent),
  /** Oldest first. */
  history: Type.Array(ConfigVersion),
});
/** Content of state.json. Only the gateway itself writes it. */
export type ConfigState = Static<typeof ConfigState>;

const empty: ConfigState = {
  ...{ current: 0, trial: null, replacing: null, offerAt: 0, untold: [], history: [] },
};

/** @throws ConfigError when the file cannot be read: then nobody knows what is on trial. */
export function readState(path: string): ConfigState {
  if (!existsSync(path)) return empty;
  const fault = (why: string): ConfigError =>
    new ConfigError([`config/state.json ${why}; move it aside to go on with gateway.yaml as it is`]);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw fault(`cannot be read: ${(cause as Error).message}`);
  }
  if (!Value.Check(ConfigState, value)) throw fault('is not what this program wrote');
  return value;
}

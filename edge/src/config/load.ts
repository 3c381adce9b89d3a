import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaErrors } from '@parkline/contract';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { createTimetable } from '../rules/timetable.ts';
import {
  NATS_SEED_FILE,
  type NatsCredentials,
  readNatsCredentials,
  type TlsFiles,
  tlsFilesOf,
} from '../nats-access.ts';
import { GatewayConfig } from './schema.ts';

/** Everything in a gateway's home, read once at start. */
export interface Home {
  /** The folder itself. */
  readonly path: string;
  readonly config: GatewayConfig;
  readonly keys: Keys;
  /** Certificates, for a tls:// address. */
  readonly natsTls: TlsFiles;
  readonly outboxPath: string;
  /** What the drivers keep: certificates, retained messages. */
  readonly driverDir: string;
  /** What local rules remember. */
  readonly rulesPath: string;
  /** What a running gateway last said of itself. */
  readonly healthPath: string;
  /** Journal of commands. */
  readonly commandsPath: string;
  /** While this file is there, nothing is written for anybody far away. */
  readonly writingOffPath: string;
  /** Public keys (PEM) of those whose releases are believed; may be absent. */
  readonly releaseKeyPath: string;
}

/** In the home. */
export const RULES_FILE = 'rules.sqlite';
export const HEALTH_FILE = 'health.json';
export const COMMANDS_FILE = 'commands.sqlite';
export const WRITING_OFF_FILE = 'writing.off';
export const RELEASE_KEY_FILE = 'keys/release.pub.pem';

export interface Keys {
  /** Ed25519; signs every message this gateway sends. */
  readonly signing: KeyObject;
  /** Ed25519; verifies what claims to come from the cloud. */
  readonly cloud: KeyObject;
  /** Who this gateway is to the message server, as its files say now. */
  readonly nats: () => NatsCredentials;
}

/** The configuration cannot be used. The message names every fault by file and path, so one restart fixes all. */
export class ConfigError extends Error {
  readonly code = 'config';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`bad configuration: ${faults.join('; ')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/**
 * Reads a gateway's home. `env.NATS_URL` wins over the file, because the machine knows its network best.
 * @throws ConfigError listing all faults of all files.
 */
export function loadHome(home: string, env: { NATS_URL?: string | undefined }): Home {
  const faults: string[] = [];
  const attempt = <T>(file: string, read: (content: Buffer) => T): T | undefined => {
    try {
      return read(readFileSync(join(home, file)));
    } catch (error) {
      if (error instanceof ConfigError) faults.push(...error.faults.map((fault) => `${file} ${fault}`));
      else faults.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const config = attempt('gateway.yaml', (content) => parseConfig(content.toString('utf8'), env.NATS_URL));
  const signing = attempt('keys/signing.pem', (pem) => ed25519(createPrivateKey(pem)));
  const cloud = attempt('keys/cloud.pub.pem', (pem) => ed25519(createPublicKey(pem)));
  const nats = attempt(NATS_SEED_FILE, () => readNatsCredentials(home));
  if (!config || !signing || !cloud || !nats) throw new ConfigError(faults);
  return {
    path: home,
    config,
    keys: { signing, cloud, nats: () => readNatsCredentials(home) },
    natsTls: tlsFilesOf(home, config.nats.tls),
    outboxPath: join(home, 'outbox.sqlite'),
    driverDir: join(home, 'drivers'),
    rulesPath: join(home, RULES_FILE),
    healthPath: join(home, HEALTH_FILE),
    commandsPath: join(home, COMMANDS_FILE),
    writingOffPath: join(home, WRITING_OFF_FILE),
    releaseKeyPath: join(home, RELEASE_KEY_FILE),
  };
}

/**
 * Parses and checks gateway.yaml; the result is frozen.
 * @throws ConfigError listing every fault with its path.
 */
export function parseConfig(yaml: string, natsUrl?: string): GatewayConfig {
  const value = Value.Default(GatewayConfig, readYaml(yaml));
  if (!Value.Check(GatewayConfig, value)) throw new ConfigError(schemaFaults(value));
  const config = natsUrl ? { ...value, nats: { ...value.nats, url: natsUrl } } : value;
  const faults = faultsBeyondSchema(config);
  if (faults.length > 0) throw new ConfigError(faults);
  return freeze(config);
}

function readYaml(yaml: string): unknown {
  try {
    return parse(yaml);
  } catch (cause) {
    throw new ConfigError([`/ is not YAML: ${withoutQuotes(cause)}`]);
  }
}

/** What and where, without the piece of the file that follows: it may be a password. */
function withoutQuotes(cause: unknown): string {
  const [first = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  return / at line \d+, column \d+:?$/.test(first) ? first.replace(/:$/, '') : first.replace(/:.*/, '');
}

function schemaFaults(value: unknown): string[] {
  return schemaErrors(GatewayConfig, value).flatMap(
    ({ keyword, instancePath, schemaPath, message, params }) => {
      // Both are said again by the parent: the unknown key by name, the branch of a union by the union.
      if (keyword === 'boolean' || schemaPath.includes('/anyOf/')) return [];
      const names = 'additionalProperties' in params ? `: ${params.additionalProperties.join(', ')}` : '';
      const allowed = 'allowedValues' in params ? `: ${params.allowedValues.join(', ')}` : '';
      return [`${instancePath || '/'} ${message}${names}${allowed}`];
    },
  );
}

/** What a schema cannot say. Pure. */
export const faultsBeyondSchema = (config: GatewayConfig): string[] => [
  ...duplicates(config),
  ...ruleFaults(config),
  ...impossible(config),
];

function duplicates(config: GatewayConfig): string[] {
  const faults: string[] = [];
  const seen = new Map<string, string>();
  const once = (what: string, id: string, path: string): void => {
    const first = seen.get(`${what} ${id}`);
    if (first === undefined) seen.set(`${what} ${id}`, path);
    else faults.push(`${path} repeats the ${what} of ${first}`);
  };
  config.connections.forEach((connection, c) => {
    once('connection id', connection.id, `/connections/${c}/id`);
    connection.devices.forEach((device, d) => {
      once('equipment', device.equipmentId, `/connections/${c}/devices/${d}/equipmentId`);
      device.points.forEach((point, p) => {
        once('point id', point.id, `/connections/${c}/devices/${d}/points/${p}/id`);
      });
    });
  });
  return faults;
}

function impossible(config: GatewayConfig): string[] {
  const faults: string[] = [];
  if (!isTimezone(config.timezone)) faults.push(`/timezone ${config.timezone} is not an IANA zone`);
  const points = config.connections.flatMap(({ devices }) => devices.flatMap((device) => device.points));
  if (points.length > 10_000) faults.push(`/connections hold ${points.length} points, at most 10000`);
  return faults;
}

/** Rules that could never work are found before the night in which they should have. */
function ruleFaults({ rules, connections, timezone }: GatewayConfig): string[] {
  const points = new Map(
    connections.flatMap(({ devices }) =>
      devices.flatMap((device) => device.points.map((point) => [point.id, point])),
    ),
  );
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const [kind, list] of Object.entries(rules))
    list.forEach(({ key, point }, n) => {
      if (seen.has(`${kind} ${key}`)) faults.push(`/rules/${kind}/${n}/key ${key} is there twice`);
      seen.add(`${kind} ${key}`);
      if (!points.has(point)) faults.push(`/rules/${kind}/${n}/point ${point} is no point of this gateway`);
    });
  rules.alarms.forEach(({ when, limit }, n) => {
    if ((when === 'missing') !== (limit === undefined))
      faults.push(
        `/rules/alarms/${n}/limit ${when === 'missing' ? 'does not go with missing' : 'is missing'}`,
      );
  });
  rules.schedules.forEach((schedule, n) => {
    const point = points.get(schedule.point);
    if (point && !point.write) faults.push(`/rules/schedules/${n}/point is not declared writable`);
    else if (point?.write?.safety)
      faults.push(`/rules/schedules/${n}/point may hurt somebody and needs two people: no schedule moves it`);
    try {
      createTimetable([schedule], isTimezone(timezone) ? timezone : 'UTC');
    } catch (error) {
      faults.push(`/rules/schedules/${n}/cron ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  return faults;
}

function isTimezone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false; // RangeError is the only way Intl says no.
  }
}

function ed25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ed25519')
    throw new TypeError(`is ${key.asymmetricKeyType}, not an Ed25519 key`);
  return key;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

import { schemaErrors } from '@parkline/contract';
import { Value } from 'typebox/value';
import { Env } from './env.ts';
import type { NatsAccess } from './nats.ts';
import { productionFaults } from './production.ts';

/** What one process may run. */
export type ProcessRole = 'api' | 'ingest' | 'worker' | 'provisioner';

export type Config = Readonly<Omit<Env, 'ROLE'>> & { readonly roles: ReadonlySet<ProcessRole> };

/** The configuration could not be read; `faults` has one line per bad key. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`bad configuration: ${faults.join('; ')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Reads the environment once, at start. An empty value counts as absent. @throws ConfigError listing every bad key, so one restart fixes all. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const known = Object.fromEntries(
    Object.keys(Env.properties).flatMap((key) => (env[key] ? [[key, env[key]]] : [])),
  );
  const value: unknown = Value.Convert(Env, Value.Default(Env, known));
  const faults = schemaErrors(Env, value)
    .filter(({ instancePath }) => instancePath !== '')
    .map(({ instancePath, message }) => `${instancePath.slice(1)} ${message}`);
  if (!Value.Check(Env, value)) throw new ConfigError([...new Set(faults)]);

  const { ROLE, ...rest } = value;
  const roles = new Set(ROLE.split(',') as ProcessRole[]);
  const missing = missingFor(roles, rest);
  if (rest.MODE === 'production')
    missing.push(...productionFaults(roles, { ...rest, databases: databasesOf(roles, rest) }));
  if (missing.length > 0) throw new ConfigError(missing);
  return Object.freeze({ ...rest, roles });
}

const databaseKeys = {
  api: 'API_DATABASE_URL',
  ingest: 'INGEST_DATABASE_URL',
  worker: 'WORKER_DATABASE_URL',
  provisioner: 'PROVISIONER_DATABASE_URL',
} as const satisfies Record<ProcessRole, keyof Env>;

/** Addresses of the databases that these roles use, by the name of their key. */
function databasesOf(roles: ReadonlySet<ProcessRole>, config: Omit<Env, 'ROLE'>): Record<string, string> {
  const used = [...roles].map((role) => (config[databaseKeys[role]] ? databaseKeys[role] : 'DATABASE_URL'));
  return Object.fromEntries(used.flatMap((key) => (config[key] ? [[key, config[key]]] : [])));
}

function missingFor(roles: ReadonlySet<ProcessRole>, config: Omit<Env, 'ROLE'>): string[] {
  const missing: string[] = [];
  for (const role of roles) {
    const key = databaseKeys[role];
    if (!config[key] && !config.DATABASE_URL) missing.push(`${key} or DATABASE_URL must be set`);
  }
  if (roles.has('provisioner') && roles.size > 1)
    missing.push('ROLE provisioner runs alone: no other process may read its keys');
  if (roles.has('provisioner') && !config.PROVISIONER_DIR)
    missing.push('PROVISIONER_DIR must be set for provisioner');
  if (roles.has('ingest') && !config.CLOUD_KEY_FILE) missing.push('CLOUD_KEY_FILE must be set for ingest');
  if (config.SECOND_FACTOR === 'when_enrolled' && roles.has('api') && isReachable(config))
    missing.push(
      'SECOND_FACTOR may be when_enrolled only where HOST is this machine and PUBLIC_URL is not https',
    );
  return missing;
}

/** How this process reaches the message server. */
export const natsAccess = (config: Config): NatsAccess => ({
  url: config.NATS_URL,
  credsDir: config.NATS_CREDS_DIR,
  seedFile: config.NATS_SEED_FILE,
  caFile: config.NATS_CA_FILE,
  certFile: config.NATS_CERT_FILE,
  keyFile: config.NATS_KEY_FILE,
});

/** From other machines, as far as the configuration tells. */
const isReachable = ({ HOST, PUBLIC_URL }: Pick<Env, 'HOST' | 'PUBLIC_URL'>): boolean =>
  (PUBLIC_URL?.startsWith('https:') ?? false) || !/^(127(\.\d+){3}|::1|localhost)$/.test(HOST);

/** Hosts of OIDC_ALLOW_HOSTS. */
export const oidcAllowHosts = ({
  OIDC_ALLOW_HOSTS = '',
}: Pick<Config, 'OIDC_ALLOW_HOSTS'>): ReadonlySet<string> =>
  new Set(OIDC_ALLOW_HOSTS.toLowerCase().split(',').filter(Boolean));

/** Where people reach the portal, for links that leave this process: never what a request says of itself. */
export const portalUrl = ({ PUBLIC_URL, HOST, PORT }: Config): string =>
  PUBLIC_URL ?? `http://${HOST}:${PORT}`;

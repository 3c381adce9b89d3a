import { createPublicKey } from 'node:crypto';
import { schemaErrors } from '@parkline/contract';
import type { Command } from 'commander';
import { loadTemplates } from '@parkline/templates';
import { sql } from 'kysely';
import Type, { type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import {
  buses,
  type BusPorts,
  type DeviceTokens,
  equipment,
  gatewayConfig,
  gateways,
  setPath,
} from '../fleet/index.ts';
import { audit } from '../identity/index.ts';
import { places } from '../places/index.ts';
import { systemNow } from '../platform/clock.ts';
import { createDb, type Db, withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets } from '../platform/secrets.ts';
import { textOf } from '../provisioning/config-make.ts';
import { noteConfig, type NotedGateway } from '../provisioning/config-note.ts';
import { credentials } from '../provisioning/credentials.ts';
import { keyFingerprint } from '../provisioning/keys.ts';
import { commandPool } from './command-pool.ts';
import { registerAdd } from './gateway-add.ts';
import { registerAdmin, registerConfig } from './gateway-admin.ts';
import { registerUpdate } from './gateway-update.ts';
import { type Io, natsUrl, readArgument, secretsKeyFile, usualAccount } from './io.ts';

const Ports = Type.Record(
  Type.String(),
  Type.Union([
    Type.Object({
      host: Type.String({ minLength: 1 }),
      port: Type.Integer({ minimum: 1, maximum: 65_535 }),
      fingerprint: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F:]{64,95}$' })),
    }),
    Type.Object({ params: Type.Record(Type.String(), Type.Unknown()) }, { additionalProperties: false }),
  ]),
);
const Tokens = Type.Record(Type.String(), Type.String({ minLength: 16 }));

interface ConfigOptions {
  readonly ports: string;
  readonly secrets?: string;
  readonly set: readonly string[];
  readonly note?: true;
  readonly account?: string;
  readonly json?: true;
}

type ConfigFlags = Omit<ConfigOptions, 'ports'> & { readonly ports?: string };

/** `parkline gateway`: what a gateway is given, and what of it is believed. */
export function register(program: Command, io: Io): void {
  const gateway =
    program.commands.find((one) => one.name() === 'gateway') ??
    program.command('gateway').description('gateways of a park');
  const config = gateway
    .command('config')
    .description('print the gateway.yaml of a gateway; or one of the commands below, through the API')
    .argument('[key]', 'key of the gateway in its park, "gw-a"')
    .option(
      '--ports <file>',
      'JSON file: {"<bus>": {"host": ..., "port": ..., "fingerprint": ...}}, or {"params": {...}} of the driver',
    )
    .option('--secrets <file>', 'JSON file of what MQTT devices log in with: {"<equipment>": "<token>"}')
    .option('--set <path=value>', 'change a setting, "report.every=true"; may be repeated', collect, [])
    .option('--note', 'take note of it as what the gateway runs with: the cloud knows then what would change')
    .option('--account <key>', 'park it belongs to; the running one, where the database holds several')
    .option('--json', 'print JSON')
    .option('--yaml', 'print YAML (the default)')
    .action((key: string | undefined, { ports, ...options }: ConfigFlags) => {
      if (key === undefined || ports === undefined)
        return config.error('error: name a gateway and --ports FILE, or one of: list, diff, apply', {
          exitCode: 2,
        });
      return withDb(io, (db) => printConfig(db, io, key, { ...options, ports }));
    });
  registerConfig(config, io);
  registerAdd(gateway, io);
  registerAdmin(gateway, io);
  registerUpdate(gateway, io);
  gateway
    .command('trust')
    .description('believe what is signed with this key from now on')
    .argument('<key>', 'key of the gateway in its park')
    .requiredOption('--public-key <file>', 'Ed25519 public key (PEM), - for standard input')
    .option(
      '--nkey <key>',
      'its user of the message server ("U..."), with --tls-key: it can be thrown out then',
    )
    .option('--tls-key <file>', 'P-256 public key (PEM) of its certificate')
    .option('--account <key>', 'park it belongs to; the running one, where the database holds several')
    .action((key: string, options: TrustOptions) => withDb(io, (db) => trust(db, io, key, options)));
}

interface TrustOptions {
  readonly publicKey: string;
  readonly nkey?: string;
  readonly tlsKey?: string;
  readonly account?: string;
}

/** Safe to repeat. */
async function trust(db: Db, io: Io, key: string, options: TrustOptions): Promise<void> {
  const pem = publicKeyPem(readArgument(io, options.publicKey));
  const { nkey, tlsKey: tlsKeyFile } = options;
  if ((nkey === undefined) !== (tlsKeyFile === undefined))
    throw new Error('--nkey and --tls-key go together');
  const tlsKey = tlsKeyFile === undefined ? undefined : readArgument(io, tlsKeyFile);
  const { accountId, id: gatewayId, publicKey } = await findGateway(db, io, key, options.account);
  const at = systemNow();
  await withAccount(db, accountId, async (trx) => {
    await gateways.trust(trx, accountId, gatewayId, pem);
    if (publicKey !== pem) {
      const deed = { accountId, at, personId: null, action: 'gateway.trusted', subjectId: gatewayId };
      await audit(trx, { ...deed, details: { fingerprint: keyFingerprint(pem) } });
    }
    if (nkey === undefined || tlsKey === undefined || (await credentials.byNkey(trx, accountId, nkey)))
      return;
    const keys = { nkey, signingKey: pem, tlsKey };
    await credentials.add(trx, {
      id: newId(),
      accountId,
      gatewayId,
      ...keys,
      codeId: null,
      createdAt: at,
    });
  });
  io.err(`${key} is trusted\n`);
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

async function withDb(io: Io, work: (db: Db) => Promise<void>): Promise<void> {
  const db = createDb(commandPool(io, 'gateway'));
  try {
    await work(db);
  } finally {
    await db.destroy();
  }
}

async function printConfig(db: Db, io: Io, key: string, options: ConfigOptions): Promise<void> {
  const given: BusPorts = parseAs('ports file', Ports, readArgument(io, options.ports));
  const tokens: DeviceTokens = options.secrets
    ? parseAs('secrets file', Tokens, readArgument(io, options.secrets))
    : {};
  const { accountId, ...gateway } = await findGateway(db, io, key, options.account);
  const { devices, points, timezone, described } = await withAccount(db, accountId, async (trx) => ({
    ...(await equipment.ofGateway(trx, accountId, gateway.id)),
    timezone: (await places.timezoneOf(trx, accountId, gateway.buildingId)) ?? 'UTC',
    described: await buses.list(trx, accountId, { gateway: gateway.id }),
  }));
  const pointsOf = Map.groupBy(points, ({ equipmentId }) => equipmentId);
  const configured = {
    id: gateway.id,
    name: gateway.name.en,
    timezone,
    devices: devices.map((device) => ({
      ...device,
      name: device.name.en,
      points: new Map((pointsOf.get(device.id) ?? []).map((point) => [point.key, point])),
    })),
  };
  // What the file does not say somebody may have said in the portal.
  const known = Object.fromEntries(described.map((bus) => [bus.key, { params: bus.params }]));
  const ports = { ...known, ...given };
  const config = gatewayConfig(configured, {
    ports,
    tokens,
    natsUrl: natsUrl(io),
    templates: loadTemplates(),
  });
  for (const assignment of options.set) setPath(config, assignment);
  if (options.note) await note(db, io, { accountId, gateway, ports, tokens }, options);
  io.out(options.json ? `${JSON.stringify(config)}\n` : textOf(config));
}

type Noted = Pick<NotedGateway, 'accountId' | 'gateway' | 'ports' | 'tokens'>;

/** What is noted differs from what is printed in nothing but its secrets, in place of which it has marks. */
async function note(db: Db, io: Io, noted: Noted, { set }: ConfigOptions): Promise<void> {
  const shape = (yaml: string): string => {
    const config = parse(yaml) as Record<string, unknown>;
    for (const assignment of set) setPath(config, assignment);
    return textOf(config);
  };
  const deps = { secrets: createSecrets(secretsKeyFile(io)), newId, at: systemNow() };
  await withAccount(db, noted.accountId, (trx) =>
    noteConfig(trx, deps, { ...noted, natsUrl: natsUrl(io), shape }),
  );
}

/** @throws Error naming the file, the entry and the field. */
function parseAs<T extends TSchema>(what: string, schema: T, text: string): Static<T> {
  const value: unknown = JSON.parse(text);
  if (Value.Check(schema, value)) return value as Static<T>;
  const faults = schemaErrors(schema, value).map(
    ({ instancePath, message }) => `${instancePath || '/'} ${message}`,
  );
  throw new Error(`${what}: ${faults.join('; ')}`);
}

/** @throws Error when the file does not hold an Ed25519 public key. */
function publicKeyPem(text: string): string {
  const key = createPublicKey(text);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`an Ed25519 key is needed, this is ${key.asymmetricKeyType}`);
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** Keys are unique within a park; of several parks one must be named. @throws Error. */
async function findGateway(db: Db, io: Io, key: string, account: string | undefined) {
  const { rows } = await sql<{ id: string; key: string }>`
    select id, key from accounts_with_gateway(${key}) where ${account ?? null}::text is null or key = ${account ?? null}`.execute(
    db,
  );
  const usual = rows.find((row) => rows.length > 1 && row.key === usualAccount(io));
  const [only, ...others] = usual ? [usual] : rows;
  if (!only) throw new Error(`there is no gateway ${key}${account ? ` in ${account}` : ''}`);
  if (others.length > 0)
    throw new Error(
      `several parks have a gateway ${key}: add --account ${rows.map((row) => row.key).join(' or ')}`,
    );
  const gateway = await withAccount(db, only.id, (trx) => gateways.byKey(trx, only.id, key));
  if (!gateway) throw new Error(`gateway ${key} went away`);
  return { accountId: only.id, ...gateway };
}

import { join } from 'node:path';
import type { Trust } from '../nats/trust.ts';
import type { Broker } from './broker.ts';
import type { Context } from './context.ts';
import type { Database } from './database.ts';
import { sealingKeys, sha256Hex, signingKey, type SigningKey } from './keys.ts';
import { createLogins, type Logins } from './logins.ts';
import { type NodeProcess, nodeService } from './node-service.ts';
import type { StartOptions } from './options.ts';

/** What the cloud's processes are given. */
export interface CloudInputs {
  readonly database: Database;
  readonly broker: Broker;
  readonly port: number;
  readonly portal: string;
  /** Makes the first administrator of an empty park. */
  readonly setupToken: string | undefined;
}

export const cloudKey = (context: Context): Promise<SigningKey> =>
  signingKey(join(context.home.secrets, 'cloud.pem'));

/**
 * One process for people, one for the flood of readings, one for faults and jobs: a heavy query never delays a receipt. One more
 * lets gateways in and out; it alone is given the keys for that, and there is none on a message server that is not ours.
 */
export async function runCloud(context: Context, inputs: CloudInputs): Promise<void> {
  const { database, broker, port, portal, setupToken } = inputs;
  const key = await cloudKey(context);
  const urls = await databaseUrls(context, database);
  const shared = {
    NATS_URL: broker.url,
    ...broker.env,
    CLOUD_KEY_FILE: key.privateFile,
    // Letters carry links, and the worker writes them: every process knows where people come in.
    ...outside(context, port),
    MAIL_DIR: join(context.home.folder, 'mails'),
    SECRETS_KEY_FILE: await sealingKeys(join(context.home.secrets, 'sealing.keys')),
  };
  const api = {
    ...shared,
    ...urls.api,
    ROLE: 'api',
    PORT: String(port),
    HOST: context.options.host,
    // A demonstration asks nobody to set up an app first; it is refused where other machines can reach the park.
    SECOND_FACTOR: isAlone(context) ? 'when_enrolled' : 'required',
    PORTAL_DIR: portal,
    ...(setupToken === undefined ? {} : { SETUP_TOKEN_SHA256: sha256Hex(setupToken) }),
  };
  await Promise.all([
    start(context, 'ingest', { ...shared, ...urls.ingest, ROLE: 'ingest' }),
    start(context, 'worker', { ...shared, ...urls.worker, ROLE: 'worker' }),
    start(context, 'api', api),
    ...(broker.trust
      ? [start(context, 'provisioner', provisionerEnv(broker.url, broker.trust, urls.provisioner))]
      : []),
  ]);
}

const provisionerEnv = (
  natsUrl: string,
  { folders }: Trust,
  database: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv => ({
  ...database,
  ROLE: 'provisioner',
  NATS_URL: natsUrl,
  PROVISIONER_DIR: folders.provisioner,
});

/** What whoever starts a park may say of the world around it. */
const around = [
  ...['PUBLIC_URL', 'MAIL_URL', 'MAIL_FROM', 'OIDC_ALLOW_HOSTS'],
  ...['WEBHOOK_ALLOW_PRIVATE', 'RELEASE_PUBLIC_KEY_FILE'],
];

/** Where people come in, for links in letters, and what is reached from here; where other machines come in, only who put the park there knows. */
export function outside(
  { env, options }: { readonly env: NodeJS.ProcessEnv; readonly options: Pick<StartOptions, 'host'> },
  port: number,
): NodeJS.ProcessEnv {
  const usual = isThisMachine(options.host) ? { PUBLIC_URL: `http://localhost:${port}` } : {};
  const named = around.filter((key) => env[key]);
  return { ...usual, ...Object.fromEntries(named.map((key) => [key, env[key]])) };
}

/** Nobody comes in but from this machine. */
const isAlone = ({ env, options }: Context): boolean =>
  isThisMachine(options.host) && !env['PUBLIC_URL']?.startsWith('https:');

const isThisMachine = (host: string): boolean => /^(127(\.\d+){3}|::1|localhost)$/.test(host);

/** On a server that is not ours the processes take their role at connect, which needs nothing but the owner's address. */
async function databaseUrls(
  { home }: Context,
  { own, url }: Database,
): Promise<Record<keyof Logins, Readonly<Record<string, string>>>> {
  const owner = { DATABASE_URL: url };
  if (!own) return { api: owner, ingest: owner, worker: owner, provisioner: owner };
  const logins = await createLogins(url, home.secrets);
  return {
    api: { API_DATABASE_URL: logins.api },
    ingest: { INGEST_DATABASE_URL: logins.ingest },
    worker: { WORKER_DATABASE_URL: logins.worker },
    provisioner: { PROVISIONER_DATABASE_URL: logins.provisioner },
  };
}

function start(context: Context, name: string, own: NodeJS.ProcessEnv): Promise<void> {
  const process: NodeProcess = {
    name,
    stage: 'cloud',
    entry: 'cloud/src/main.ts',
    env: own,
    stopWithinMs: 3000,
  };
  return context.supervisor.run(nodeService(context, process));
}

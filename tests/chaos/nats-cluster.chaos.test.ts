import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { createUser } from '@nats-io/nkeys';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { subjects, UPLINK_STREAM } from '@parkline/contract';
import pino from 'pino';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectionOptions } from '../../cloud/src/platform/nats.ts';
import { checkServers, SERVER_STATE_IN_CORE } from '../../cloud/src/platform/nats-server.ts';
import { creds } from '../../cloud/src/provisioning/authority.ts';
import { newIdentity } from '../../cloud/src/provisioning/pki.ts';
import { openUplink } from '../../cloud/src/telemetry/uplink-stream.ts';
import { accessOptions } from '../../edge/src/nats-access.ts';
import { assertStored } from '../../edge/src/link.ts';
import { ended, start } from '../../deploy/local/command.ts';
import { readIfThere } from '../../deploy/local/files.ts';
import { freePort, scratchFolder } from '../../deploy/local/machine.ts';
import { natsCommand, natsFiles, natsHealth, writeNatsConfig } from '../../deploy/local/nats.ts';
import type { TlsFiles } from '../../deploy/nats/render.ts';
import { letIn, openTrust, type Trust } from '../../deploy/nats/trust.ts';
import { byCreds } from '../support/nats.ts';
import { writeIdentity } from '../support/nats-tls.ts';

const gatewayId = '0198c0de-0000-7000-8000-000000000001';
const log = pino({ enabled: false });

interface Server {
  readonly name: string;
  readonly port: number;
  readonly httpPort: number;
  start(): void;
  end(signal: NodeJS.Signals): Promise<void>;
}

let folder: string;
let trust: Trust;
let tls: TlsFiles;
let servers: Server[];
beforeAll(async () => {
  folder = await mkdtemp(join(scratchFolder(), 'parkline-cluster-'));
  trust = await openTrust(join(folder, 'trust'), new Date());
  const ca = trust.authority.certificatePem;
  const client = await newIdentity(trust.authority, 'test', { kind: 'client' }, new Date());
  tls = await writeIdentity(join(folder, 'client'), client, ca);
  servers = await makeServers(ca);
  for (const server of servers) server.start();
  await eventually(async () => (await healthy()) === 3);
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.end('SIGKILL')));
  await rm(folder, { recursive: true, force: true });
});

/** Three servers of deploy/nats on loopback: TLS and a password on their routes, TLS to everybody else. */
async function makeServers(ca: string): Promise<Server[]> {
  const ports: { port: number; httpPort: number; route: number }[] = [];
  for (let n = 0; n < 3; n += 1)
    ports.push({ port: await freePort(), httpPort: await freePort(), route: await freePort() });
  const peers = ports.map(({ route }) => `127.0.0.1:${route}`);
  return Promise.all(
    ports.map(async ({ port, httpPort, route }, n) => {
      const home = join(folder, `n${n}`);
      const files = natsFiles(home);
      await mkdir(files.storeDir, { recursive: true });
      const purpose = { kind: 'server', hosts: ['127.0.0.1'] } as const;
      const own = await newIdentity(trust.authority, `n${n}`, purpose, new Date());
      const serverTls = await writeIdentity(join(home, 'tls'), own, ca);
      await writeNatsConfig(inject('natsServer'), files.config, {
        ...{ serverName: `n${n}`, listen: `127.0.0.1:${port}`, httpPort, maxFileStore: 2 * 1024 ** 3 },
        ...{ storeDir: files.storeDir, jwtDir: files.jwtDir, pidFile: files.pidFile, trust: trust.server },
        tls: serverTls,
        cluster: {
          name: 'test',
          listen: `127.0.0.1:${route}`,
          peers,
          password: 'between-us',
          tls: serverTls,
        },
      });
      return { name: `n${n}`, port, httpPort, ...processOf(files.config) };
    }),
  );
}

function processOf(configFile: string): Pick<Server, 'start' | 'end'> {
  let child: ChildProcess | undefined;
  return {
    start() {
      child = start(natsCommand(inject('natsServer'), configFile));
      child.stdout?.resume();
      child.stderr?.resume();
    },
    async end(signal) {
      child?.kill(signal);
      if (child) await ended(child);
      child = undefined;
    },
  };
}

const healthy = async (): Promise<number> =>
  (await Promise.all(servers.map(({ httpPort }) => natsHealth(httpPort)))).filter(({ ok }) => ok).length;

async function eventually(check: () => Promise<boolean>, ms = 60_000): Promise<void> {
  for (const end = Date.now() + ms; !(await check().catch(() => false)); await sleep(100))
    if (Date.now() > end) throw new Error('did not come true in time');
}

const urls = (): string => servers.map(({ port }) => `tls://127.0.0.1:${port}`).join(',');

test(
  'a cluster that loses its leader keeps every acknowledged message, once, and takes more',
  { timeout: 180_000 },
  async () => {
    const access = { url: urls(), credsDir: trust.folders.cloud, ...tls };
    const ingest = await connect(connectionOptions(access, 'ingest'));
    await checkServers({ nats: ingest, subject: SERVER_STATE_IN_CORE, isProduction: true, log });
    const consumer = await openUplink(ingest, 3);
    const coreSeed = (await readIfThere(join(trust.folders.offline, 'core.nk'))) ?? '';
    const core = await connect({
      ...connectionOptions(access, 'api'),
      inboxPrefix: '_INBOX',
      authenticator: byCreds(await creds(coreSeed, 'test')),
    });
    const manager = await jetstreamManager(core);
    const gateway = await enter();

    const acked = new Set<string>();
    let isOver = false;
    const sending = Array.from({ length: 8 }, (_, lane) => send(gateway, lane, acked, () => isOver));
    await eventually(() => Promise.resolve(acked.size > 200));
    const leader = (await manager.streams.info(UPLINK_STREAM)).cluster?.leader;
    const killed = servers.find(({ name }) => name === leader);
    expect(killed).toBeDefined();
    await killed?.end('SIGKILL');
    const before = acked.size;
    await eventually(() => Promise.resolve(acked.size > before + 200));
    killed?.start();
    await eventually(async () => (await healthy()) === 3);
    isOver = true;
    await Promise.all(sending);

    const stored: string[] = [];
    while ((await consumer.info()).num_pending > 0)
      for await (const message of await consumer.fetch({ max_messages: 1_000, expires: 2_000 })) {
        stored.push(message.string());
        message.ack();
      }
    const once = new Set(stored);
    expect([...acked].filter((one) => !once.has(one))).toEqual([]);
    expect(stored.length).toBe(once.size);
    await Promise.all([ingest, core, gateway].map((one) => one.close()));
  },
);

async function enter(): Promise<NatsConnection> {
  const user = createUser();
  const jwt = await letIn(trust, { id: gatewayId, publicNkey: user.getPublicKey() }, new Date());
  const credentials = () => ({ seed: user.getSeed(), jwt });
  const options = accessOptions({ url: urls(), gatewayId, credentials, tls });
  return connect({
    ...options,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    ignoreAuthErrorAbort: true,
  });
}

/** One message after another, each again under its id until it is acknowledged: as the outbox of a gateway does. */
async function send(
  nats: NatsConnection,
  lane: number,
  acked: Set<string>,
  isOver: () => boolean,
): Promise<void> {
  for (let n = 0; !isOver(); n += 1) {
    const text = `${lane}-${n}`;
    for (;;) {
      try {
        const head = headers();
        head.set('Nats-Msg-Id', text);
        assertStored(
          (await nats.request(subjects.uplink(gatewayId), text, { timeout: 2_000, headers: head })).data,
        );
        break;
      } catch {
        if (isOver()) return; // Its share may be full, for nobody reads meanwhile.
        await sleep(50);
      }
    }
    acked.add(text);
  }
}

// One side of the OPC UA benchmark, a process of its own: `node --expose-gc opcua-client.ts <ours|raw> <JSON of Task>`. Prints a Tally.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { driver } from '@parkline/opcua';
import { keepIdentity } from '../../protocols/opcua/src/identity.ts';
import { cpuOfTree } from './cpu.ts';

/** What to do. */
export interface Task {
  readonly endpointUrl: string;
  readonly fingerprint: string;
  /** Process of the server. */
  readonly pid: number;
  readonly points: number;
  readonly samplingMs: number;
  readonly publishingMs: number;
  readonly forMs: number;
}

/** What came of it. */
export interface Tally {
  readonly updates: number;
  readonly seconds: number;
  /** µs of CPU meanwhile. */
  readonly clientCpuUs: number;
  readonly serverCpuUs: number;
  /** Heap that the subscription of `points` holds, bytes, before the measuring began. */
  readonly heapBytes: number;
}

/** Subscribes; `onUpdate` hears of each value. @returns how to end it. */
type Subscribe = (onUpdate: (name: string) => void) => Promise<() => Promise<void>>;

const [side, text = ''] = process.argv.slice(2);
const task = JSON.parse(text) as Task;
const folder = mkdtempSync(join(tmpdir(), 'parkline-bench-'));
const names = Array.from({ length: task.points }, (_, index) => `Value${index}`);

try {
  const connect = side === 'ours' ? connectOurs : connectRaw;
  process.stdout.write(`${JSON.stringify(await measure(await connect()))}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(subscribe: Subscribe): Promise<Tally> {
  const before = heap();
  const seen = new Set<string>();
  let updates = 0;
  const end = await subscribe((name) => {
    updates += 1;
    if (seen.size < task.points) seen.add(name);
  });
  while (seen.size < task.points) await sleep(20);
  await sleep(1_000); // What is compiled and grown by use has been.
  const heapBytes = heap() - before;

  const [began, first, own, server] = [performance.now(), updates, process.cpuUsage(), cpuOfTree(task.pid)];
  await sleep(task.forMs);
  const { user, system } = process.cpuUsage(own);
  const tally = {
    updates: updates - first,
    seconds: (performance.now() - began) / 1_000,
    clientCpuUs: user + system,
    serverCpuUs: cpuOfTree(task.pid) - server,
    heapBytes,
  };
  await end();
  return tally;
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

async function connectOurs(): Promise<Subscribe> {
  const { endpointUrl, fingerprint: serverFingerprint, samplingMs, publishingMs } = task;
  const quiet = (): void => undefined;
  const connection = driver.openConnection(
    { endpointUrl, serverFingerprint, samplingMs, publishingMs },
    { now: Date.now, log: { debug: quiet, info: quiet, warn: quiet }, dataDir: folder },
  );
  const device = connection.device({ root: 'Bench' });
  await device.connect(new AbortController().signal);
  return async (onUpdate) => {
    const stop = new AbortController();
    const refs = names.map((name) => ({ pointId: name, address: name, scale: 1, kind: 'gauge' as const }));
    const running = device.subscribe!(refs, ({ pointId }) => onUpdate(pointId), stop.signal);
    return async () => {
      stop.abort();
      await running;
      await connection.close();
    };
  };
}

/** The library as its manual shows it: a group of monitored items, each value looked at. Any server's certificate will do. */
async function connectRaw(): Promise<Subscribe> {
  const opcua = await import('node-opcua-client');
  opcua.setWarningLogger(() => undefined); // It would warn on standard output, where the tally goes.
  const { certificate, privateKeyPem, applicationUri } = await keepIdentity(folder, opcua.crypto_utils);
  const privateKey = opcua.crypto_utils.makePrivateKeyFromPem(privateKeyPem);
  const client = opcua.OPCUAClient.create({
    applicationUri,
    securityMode: opcua.MessageSecurityMode.SignAndEncrypt,
    securityPolicy: opcua.SecurityPolicy.Basic256Sha256,
    endpointMustExist: false,
    certificateKeyPairProvider: {
      getCertificate: () => certificate,
      getCertificateChain: () => [certificate],
      getPrivateKey: () => privateKey,
    },
  });
  await client.connect(task.endpointUrl);
  const session = await client.createSession();
  const index = (await session.readNamespaceArray()).indexOf('urn:parkline:sim');
  return async (onUpdate) => {
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: task.publishingMs,
      requestedMaxKeepAliveCount: 10,
      requestedLifetimeCount: 100,
      maxNotificationsPerPublish: 1_000,
      publishingEnabled: true,
      priority: 1,
    });
    const group = opcua.ClientMonitoredItemGroup.create(
      subscription,
      names.map((name) => ({ nodeId: `ns=${index};s=Bench.${name}`, attributeId: opcua.AttributeIds.Value })),
      { samplingInterval: task.samplingMs, queueSize: 100, discardOldest: true },
      opcua.TimestampsToReturn.Source,
    );
    group.on('changed', (_item, value, at) => {
      if (typeof value.value.value === 'number') onUpdate(names[at]!);
    });
    return async () => {
      await session.close(true);
      await client.disconnect();
    };
  };
}

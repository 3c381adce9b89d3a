import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import {
  decodeEnvelope,
  GatewayHealth,
  RELEASE_CHUNK_BYTES,
  type SampleBatch,
  type SignedText,
  subjects,
  type UpdateChunkQuery,
  type UpdateOffer,
} from '@parkline/contract';
import { createUser } from '@nats-io/nkeys';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listFiles, packRelease } from '../../edge/src/update/pack.ts';
import { contentHash, parseReleaseFile, type ReleaseFile } from '../../edge/src/update/release-file.ts';
import { openSlots } from '../../edge/src/update/slots.ts';
import { type BenchSimulator, startBench } from '../support/simulator.ts';
import { byCreds, startNats, type TestNats } from '../support/nats.ts';
import { bundleGateway } from '../../deploy/scripts/bundle.ts';

const gatewayId = '018f0000-0000-7000-8000-000000000001';
const folder = mkdtempSync(join(tmpdir(), 'parkline-bundle-'));
const home = join(folder, 'home');
const platform = `${process.platform}-${process.arch}`;
const [makers, cloud, own] = [newKeys(), newKeys(), newKeys()];
const user = createUser();

let nats: TestNats;
let core: NatsConnection;
let bench: BenchSimulator;
let gateway: ChildProcess | undefined;
const printed: string[] = [];
const values: (number | null)[] = [];
let health: GatewayHealth | undefined;

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ed25519');
}
const pem = (key: KeyObject): string =>
  (key.type === 'private'
    ? key.export({ type: 'pkcs8', format: 'pem' })
    : key.export({ type: 'spki', format: 'pem' })
  ).toString();

async function release(version: string): Promise<ReleaseFile & { file: string; hash: string }> {
  const bundle = join(folder, version);
  await bundleGateway({ out: bundle, version, platforms: [platform] });
  const facts = { minNode: '24.0.0', predecessor: { min: null, max: null }, downgradeFrom: [], madeAt: 1 };
  const bytes = packRelease(bundle, { version, platforms: [platform], ...facts }, makers.privateKey);
  const file = join(folder, `${version}.release`);
  writeFileSync(file, bytes);
  return { ...parseReleaseFile(bytes), file, hash: contentHash(listFiles(bundle)) };
}

/** Runs a file of the first bundle with nothing of the repository in reach. */
function plainNode(...args: string[]) {
  const env = { PATH: process.env['PATH'], HOME: folder };
  return spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
}

beforeAll(async () => {
  mkdirSync(join(home, 'keys'), { recursive: true });
  nats = await startNats({ gateways: [{ id: gatewayId, publicNkey: user.getPublicKey() }] });
  core = await connect({ servers: nats.url, authenticator: byCreds(nats.coreCreds) });
  bench = await startBench({ transport: 'tcp', buses: { line: [3] } });
  core.subscribe(subjects.uplink(gatewayId), {
    callback: (_error, { data }) => {
      const decoded = decodeEnvelope(data);
      if (!decoded.ok || decoded.envelope.header.kind !== 'samples') return;
      const text = zstdDecompressSync(decoded.envelope.payload).toString('utf8');
      values.push(...(JSON.parse(text) as SampleBatch).v);
    },
  });
  core.subscribe(subjects.health(gatewayId), {
    callback: (_error, message) => {
      const said: unknown = JSON.parse(message.json<SignedText>().body);
      if (Value.Check(GatewayHealth, said)) health = said;
    },
  });
  const port = bench.ports['line']!.port;
  writeFileSync(join(home, 'keys/signing.pem'), pem(own.privateKey));
  writeFileSync(join(home, 'keys/cloud.pub.pem'), pem(createPublicKey(cloud.privateKey)));
  writeFileSync(join(home, 'keys/nats.nk'), user.getSeed());
  writeFileSync(join(home, 'keys/nats.jwt'), nats.gatewayJwts.get(gatewayId) ?? '');
  writeFileSync(join(folder, 'release.pub.pem'), pem(makers.publicKey));
  writeFileSync(join(home, 'gateway.yaml'), yaml(nats.url, port));
});

afterAll(async () => {
  if (gateway && gateway.exitCode === null) {
    const ended = new Promise((resolve) => gateway?.once('exit', resolve));
    gateway.kill('SIGTERM');
    await ended;
  }
  await core.close();
  await Promise.all([nats.stop(), bench.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const yaml = (url: string, port: number): string => `
version: 1
gatewayId: ${gatewayId}
name: Out of the box
nats: { url: '${url}' }
connections:
  - id: line
    driver: modbus
    params: { transport: tcp, host: 127.0.0.1, port: ${port} }
    devices:
      - equipmentId: 018f0000-0000-7000-8000-000000000002
        name: Bench
        params: { unit: 3 }
        points:
          - { id: 018f0000-0000-7000-8000-000000000003, address: 'hr:40:u16', kind: gauge, unit: kW, pollMs: 200 }
  - id: away
    driver: opcua
    params: { endpointUrl: 'opc.tcp://127.0.0.1:9', serverFingerprint: '${'0'.repeat(64)}' }
    devices:
      - equipmentId: 018f0000-0000-7000-8000-000000000004
        name: Away
        params: { root: Lift }
        points:
          - { id: 018f0000-0000-7000-8000-000000000005, address: 'ns=1;s=x', kind: gauge, unit: kW, pollMs: 200 }
`;

async function until(what: () => boolean, name: string): Promise<void> {
  for (let turn = 0; turn < 600; turn += 1) {
    if (what()) return;
    await sleep(100);
  }
  throw new Error(`${name} did not come; the gateway printed:\n${printed.slice(-30).join('\n')}`);
}

test('a gateway runs from its bundle alone, and replaces itself by a signed release over the message server', async () => {
  const first = await release('1.0.0');
  // The same source gives the same bytes.
  expect((await release('1.0.0')).hash).toBe(first.hash);
  const second = await release('1.1.0');
  const lib = join(folder, '1.0.0/lib');
  // It says what it is made of.
  expect(JSON.parse(readFileSync(join(folder, '1.0.0/sbom.cdx.json'), 'utf8'))).toMatchObject({
    metadata: { component: { name: 'parkline-gateway', version: '1.0.0' } },
    components: expect.arrayContaining([expect.objectContaining({ name: '@serialport/bindings-cpp' })]),
  });

  // The compiled library of serial lines loads, and every driver says who it is.
  const load = `await import('@serialport/bindings-cpp/dist/load-bindings.js');
    for (const p of ['modbus', 'bacnet', 'opcua', 'mqtt', 'dlt645', 'cjt188']) {
      const { driver } = await import('./driver-' + p + '.js');
      if (driver.protocol !== p) throw new Error(p);
    }`;
  writeFileSync(join(lib, 'probe.mjs'), load);
  expect(plainNode(join(lib, 'probe.mjs')).stderr).toBe('');
  expect(plainNode(join(lib, 'parkline.js'), 'template', 'list').stdout).toContain('three-phase-meter/');
  const given = ['--key', join(folder, 'release.pub.pem'), '--home', home];
  const installed = plainNode(join(lib, 'parkline.js'), 'release', 'install', first.file, ...given);
  expect([installed.status, installed.stdout]).toEqual([0, '1.0.0\n']);

  gateway = spawn(process.execPath, [join(home, 'program/launcher.mjs'), '--home', home], {
    ...{ cwd: folder, env: { PATH: process.env['PATH'], HOME: folder } },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  gateway.stdout?.on('data', (text: Buffer) => printed.push(...text.toString('utf8').split('\n')));
  await until(() => values.includes(4_711) && health !== undefined, 'a value');
  await until(() => health?.devices[1]?.error !== null, 'word of the OPC UA server');
  expect(health).toMatchObject({ version: '1.0.0', devices: [{ state: 'online' }, { state: 'silent' }] });
  // Its library is in the bundle: what fails is the connection.
  expect(health?.devices[1]?.error).not.toMatch(/module|import|package/i);

  core.subscribe(subjects.updateChunk(gatewayId), {
    callback: (_error, message) => {
      const { chunk } = message.json<UpdateChunkQuery>();
      const from = chunk * RELEASE_CHUNK_BYTES;
      message.respond(second.pack.subarray(from, from + RELEASE_CHUNK_BYTES));
    },
  });
  const offer: UpdateOffer = { gatewayId, at: 1, release: second.signed };
  const body = JSON.stringify(offer);
  const sig = sign(null, Buffer.from(body), cloud.privateKey).toString('base64url');
  core.publish(subjects.update(gatewayId), JSON.stringify({ body, sig }));

  await until(() => health?.version === '1.1.0', 'the new release');
  const slots = openSlots(join(home, 'program'));
  await until(() => slots.state().trial === null, 'the end of the trial');
  expect(slots.state()).toMatchObject({ current: 'b', version: '1.1.0', highest: '1.1.0' });
  expect(JSON.parse(readFileSync(join(home, 'program/b/package.json'), 'utf8'))).toMatchObject({
    version: '1.1.0',
  });
}, 120_000);

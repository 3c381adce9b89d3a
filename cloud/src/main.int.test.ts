import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { INGEST_CONSUMER, UPLINK_STREAM } from '@parkline/contract';
import { afterAll, expect, test } from 'vitest';
import { byCreds, startNats, type TestNats } from '../../tests/support/nats.ts';
import { clonedDatabase } from './platform/testing.ts';

const { url } = await clonedDatabase();
const folder = await mkdtemp(join(tmpdir(), 'parkline-main-'));
const nats: TestNats = await startNats({ gateways: [] });
afterAll(async () => {
  await nats.stop();
  await rm(folder, { recursive: true });
});
const keyFile = join(folder, 'cloud.pem');
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
await writeFile(keyFile, pem);

const env = {
  DATABASE_URL: url,
  NATS_URL: nats.url,
  NATS_CREDS_DIR: nats.credsDir,
  CLOUD_KEY_FILE: keyFile,
  PORT: '0',
  LOG_LEVEL: 'info',
};

interface Line {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The process as it is started in production. */
function cloud(own: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env['PATH'], ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Line[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as Line));
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const says = async (msg: string): Promise<Line> => {
    // Loading its modules takes a process seconds, and on a busy machine many of them.
    for (let i = 0; i < 1_600; i += 1) {
      const line = lines.find((one) => one.msg.startsWith(msg));
      if (line) return line;
      await sleep(25);
    }
    throw new Error(`never said "${msg}": ${JSON.stringify(lines)}`);
  };
  const stop = async (): Promise<{ code: number | null; ms: number }> => {
    const start = performance.now();
    child.kill('SIGTERM');
    return { code: await ended, ms: performance.now() - start };
  };
  return { says, stop, ended, lines };
}

/** Address that the process said it listens at. */
const addressOf = ({ msg }: Line): string => msg.replace('Server listening at ', '');

async function ingestIsListening(): Promise<boolean> {
  const authenticator = byCreds(nats.coreCreds);
  const connection = await connect({ servers: nats.url, authenticator });
  try {
    const manager = await jetstreamManager(connection);
    return (await manager.consumers.info(UPLINK_STREAM, INGEST_CONSUMER)).name === INGEST_CONSUMER;
  } catch (error) {
    if (error instanceof JetStreamApiError) return false; // Not there yet.
    throw error;
  } finally {
    await connection.close();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error('never became true');
}

test('both roles start, are ready, notice that the broker is away and back, and stop cleanly', async () => {
  const process = cloud(env);
  await process.says('ready');
  const address = addressOf(await process.says('Server listening'));
  const ready = async () => (await fetch(`${address}/readyz`)).status;
  await until(async () => (await ready()) === 200);
  // A server killed while it makes its first stream cannot read that stream again: only a whole one is the point here.
  await until(ingestIsListening);

  await nats.kill();
  await until(async () => (await ready()) === 503);
  expect((await fetch(`${address}/healthz`)).status).toBe(200);
  await nats.restart();
  await until(async () => (await ready()) === 200);

  const { code, ms } = await process.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(3_000);
  expect(JSON.stringify(process.lines)).not.toContain(new URL(url).password);
}, 60_000);

test('the API alone serves without a broker; ingest alone opens no port', async () => {
  const api = cloud({ ...env, ROLE: 'api', NATS_URL: 'nats://127.0.0.1:9' });
  const ingest = cloud({ ...env, ROLE: 'ingest' });
  await Promise.all([api.says('ready'), ingest.says('ready')]);
  const address = addressOf(await api.says('Server listening'));
  expect(await (await fetch(`${address}/readyz`)).json()).toEqual({
    ready: false,
    checks: { database: 'ok', nats: 'failed' },
  });
  expect(ingest.lines.some(({ msg }) => msg.startsWith('Server listening'))).toBe(false);
  expect((await Promise.all([api.stop(), ingest.stop()])).map(({ code }) => code)).toEqual([0, 0]);
}, 60_000);

test.each([
  ['a bad configuration', { ROLE: 'king', PORT: 'x' }, /ROLE.*PORT/],
  ['a database that is not there', { DATABASE_URL: 'postgres://me@127.0.0.1:9/none' }, /ECONNREFUSED/],
  ['a database login that sees every account', { API_DATABASE_URL: url }, /not bound by row-level security/],
])(
  '%s ends the start with one clear line and exit 1',
  async (_what, own, why) => {
    const process = cloud({ ...env, ...own });
    expect(await process.ended).toBe(1);
    expect(JSON.stringify(process.lines.at(-1))).toMatch(why);
  },
  30_000,
);

// One ingest process without the rest of the cloud, for tests that kill it. It is loaded and connected first, and takes in
// messages from the end of its standard input on.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { systemNow, systemWait } from '../platform/clock.ts';
import { createPool } from '../platform/db.ts';
import { createFailpoints } from '../platform/failpoints.ts';
import { createLog } from '../platform/log.ts';
import { failpoints } from './failpoint.ts';
import { runIngest } from './ingest.ts';

const [url = '', natsUrl = '', creds = '', failpoint] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

const pool = createPool({ url, role: 'parkline_ingest', max: 4 });
const nats = await connect({
  servers: natsUrl,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 200,
  authenticator: credsAuthenticator(new TextEncoder().encode(creds)),
});
process.stdin.resume();
if (!process.stdin.readableEnded) await once(process.stdin, 'end');
await runIngest(
  {
    pool,
    nats,
    signingKey: generateKeyPairSync('ed25519').privateKey,
    now: systemNow,
    wait: systemWait,
    log: createLog('info'),
    failpoint: createFailpoints(failpoints, failpoint, () => process.kill(process.pid, 'SIGKILL')),
  },
  stop.signal,
);
await nats.drain();
await pool.end();

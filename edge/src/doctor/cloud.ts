import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { connect as dial, isIP } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { subjects } from '@parkline/contract';
import type { Home } from '../config/load.ts';
import { checkReceipt } from '../downlink/receipts.ts';
import { accessOptions, connectFailure, type TlsFiles, UNCLAIMED_URL } from '../nats-access.ts';
import { claimCommand } from './claim.ts';
import { fail, type Finding, ok, skipped, warn } from './check.ts';

const TIMEOUT_MS = 5_000;
/** A clock further off makes readings suspect. */
const MAX_SKEW_MS = 2_000;
const DAY_MS = 86_400_000;

/** The way to the cloud, step by step: name, port, certificate, login, and an answer that the cloud signed. */
export async function checkCloud(
  { path, config, keys, natsTls }: Home,
  epoch: string | undefined,
  now: () => number,
): Promise<Finding[]> {
  if (config.nats.url === UNCLAIMED_URL) return unclaimed(path);
  const url = new URL(config.nats.url.split(',')[0] ?? ''); // Of a cluster the first stands for all.
  const port = Number(url.port || 4_222);
  const network = await checkNetwork(url.hostname, port);
  const certificate = await checkCertificate(url, port, natsTls, now());
  if (network.state === 'fail')
    return [
      network,
      certificate,
      skipped('broker', 'not asked: it cannot be reached'),
      skipped('cloud', 'not asked'),
    ];
  return [network, certificate, ...(await checkBroker({ config, keys, natsTls }, epoch, now))];
}

/** A gateway that was prepared and has no cloud yet: nothing of it is broken. */
const unclaimed = (home: string): Finding[] => [
  warn('claim', 'not claimed yet: what it reads is kept here and goes nowhere', claimCommand(home)),
  ...['network', 'certificate', 'broker', 'cloud'].map((check) =>
    skipped(check, 'not asked: a claim tells where they are'),
  ),
];

async function checkNetwork(host: string, port: number): Promise<Finding> {
  try {
    const { address } = await lookup(host);
    const tookMs = await reach(address, port);
    return ok('network', `${host}:${port} (${address}) answers in ${tookMs.toFixed(0)} ms`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const why = error instanceof Error ? error.message : String(error);
    const todo =
      code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? 'check the name in nats.url and the DNS server of this network'
        : `let this machine out to ${host}:${port} (TCP); check the firewall and whether the cloud is up`;
    return fail('network', `${host}:${port} does not answer: ${why}`, todo);
  }
}

function reach(host: string, port: number): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = dial({ host, port, timeout: TIMEOUT_MS });
    socket.once('connect', () => {
      socket.destroy();
      resolve(performance.now() - began);
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer in ${TIMEOUT_MS / 1_000} s`)));
    socket.once('error', reject);
  });
}

async function checkCertificate(url: URL, port: number, files: TlsFiles, now: number): Promise<Finding> {
  if (url.protocol !== 'tls:') {
    const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
    return isLocal
      ? skipped('certificate', 'none: the connection stays on this machine')
      : warn('certificate', 'the connection is not encrypted', 'use tls:// in nats.url');
  }
  try {
    const until = await certificateEnd(url.hostname, port, files);
    const days = Math.floor((until - now) / DAY_MS);
    const found = `ends ${new Date(until).toISOString()}, in ${days} days`;
    if (days < 0) return fail('certificate', found, 'renew the certificate of the message server');
    return days < 30
      ? warn('certificate', found, 'renew the certificate of the message server')
      : ok('certificate', found);
  } catch (error) {
    const why = connectFailure(error);
    return fail(
      'certificate',
      why,
      'check the certificate of the message server and whom this machine trusts',
    );
  }
}

/** The message server begins with TLS; whom the gateway believes is in its own file and in no store of the system. */
function certificateEnd(
  host: string,
  port: number,
  { caFile, certFile, keyFile }: TlsFiles,
): Promise<number> {
  const [ca, cert, key] = [readFileSync(caFile), readFileSync(certFile), readFileSync(keyFile)];
  return new Promise((resolve, reject) => {
    const secure = dialTls({
      host,
      port,
      ca,
      cert,
      key,
      timeout: TIMEOUT_MS,
      ...(!isIP(host) && { servername: host }),
    });
    secure.once('error', reject).once('timeout', () => secure.destroy(new Error('no answer')));
    secure.once('secureConnect', () => {
      const { valid_to: end } = secure.getPeerCertificate();
      secure.destroy();
      resolve(Date.parse(end));
    });
  });
}

async function checkBroker(
  { config, keys, natsTls }: Pick<Home, 'config' | 'keys' | 'natsTls'>,
  epoch: string | undefined,
  now: () => number,
): Promise<Finding[]> {
  let nats: NatsConnection;
  try {
    nats = await connect({
      ...accessOptions({
        url: config.nats.url,
        gatewayId: config.gatewayId,
        credentials: keys.nats,
        tls: natsTls,
      }),
      ...{ name: `doctor of ${config.gatewayId}`, timeout: TIMEOUT_MS },
      reconnect: false,
    });
  } catch (error) {
    const why = connectFailure(error);
    const todo = 'the broker must know the key of this gateway: claim it, or let the operator add it';
    return [fail('broker', `refuses this gateway: ${why}`, todo), skipped('cloud', 'not asked')];
  }
  try {
    const tookMs = await nats.rtt();
    const broker = ok(
      'broker',
      `knows this gateway, version ${nats.info?.version ?? '?'}, ${tookMs} ms there and back`,
    );
    return [broker, await askCloud(nats, { config, keys }, epoch, now)];
  } finally {
    await nats.close();
  }
}

/** The receipt is the one thing that proves who is at the other end, and what time it is there. */
async function askCloud(
  nats: NatsConnection,
  { config, keys }: Pick<Home, 'config' | 'keys'>,
  epoch: string | undefined,
  now: () => number,
): Promise<Finding> {
  const asked = epoch ?? randomBytes(8).toString('hex');
  try {
    const subject = subjects.receiptQuery(config.gatewayId);
    const began = now();
    const reply = await nats.request(subject, JSON.stringify({ epoch: asked }), { timeout: TIMEOUT_MS });
    const us = { cloudKey: keys.cloud, gatewayId: config.gatewayId, epoch: asked, lastSeq: Infinity };
    const checked = checkReceipt(reply.data, us);
    if (!checked.ok)
      return fail(
        'cloud',
        `answers, and the answer is not to be believed: ${checked.why}`,
        'compare keys/cloud.pub.pem with the key of your cloud',
      );
    const skewMs = Math.round((began + now()) / 2 - checked.receipt.at);
    if (Math.abs(skewMs) > MAX_SKEW_MS)
      return fail(
        'cloud',
        `answers; its clock differs by ${(-skewMs / 1_000).toFixed(1)} s`,
        'set the clock of this machine',
      );
    return ok('cloud', `answers and proves who it is; clocks differ by ${Math.abs(skewMs)} ms`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(
      'cloud',
      `does not say what it holds: ${why}`,
      'readings wait on this disk; look whether ingest runs',
    );
  }
}

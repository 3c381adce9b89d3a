import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  GatewayConfigText,
  GatewayIdentityView,
  GatewayLog,
  GatewayMapping,
  NewClaimCode,
} from '@parkline/contract';
import { afterAll, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { givenFleet } from '../../cloud/src/fleet/testing.ts';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { startCloud, startFront } from '../support/claimed-cloud.ts';
import { startBench } from '../support/simulator.ts';

const root = join(import.meta.dirname, '../..');
const database = await clonedDatabase();
const cloud = await startCloud(database);
const folder = mkdtempSync(join(tmpdir(), 'parkline-provisioning-'));
const bench = await startBench({ transport: 'tcp', buses: { panel: [1] } });
const children = new Set<ChildProcess>();
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await bench.stop();
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** One command line of a person on site. */
function parkline(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [join(root, 'bin/parkline.js'), ...args], { cwd: folder });
  children.add(child);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      children.delete(child);
      resolve({ code, out, err });
    });
  });
  return { child, ended };
}
const run = (...args: string[]): Promise<Ended> => parkline(args).ended;

async function until<T>(what: string, look: () => Promise<T | undefined>, forMs = 60_000): Promise<T> {
  const giveUpAt = performance.now() + forMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > giveUpAt) throw new Error(`waited in vain: ${what}`);
    await sleep(100);
  }
}

function startGateway(home: string): { readonly log: () => string; stop(): Promise<void> } {
  // As on a gateway, where it keeps what it compiled in a place of its own.
  const env = { ...process.env, NODE_COMPILE_CACHE: '' };
  const child = spawn(process.execPath, [join(root, 'edge/src/main.ts'), '--home', home], { cwd: root, env });
  children.add(child);
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  return {
    log: () => log,
    async stop() {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await gone;
      children.delete(child);
    },
  };
}

const rows = async <T>(text: string, ...values: unknown[]): Promise<T[]> => {
  const pool = owner;
  return (await pool.query(text, values)).rows as T[];
};
const owner = database.pool();
const emptyPark = `
key: small
site: { key: harbour, name: { en: Harbour, zh: 海港 }, timezone: Asia/Shanghai, currency: CNY }
buildings:
  - key: a
    name: { en: Building A, zh: A 座 }
    gateway: { key: gw-seed, name: { en: Seed, zh: 种子 } }
    floors: [{ key: a-1, name: { en: Ground floor, zh: 一层 }, level: 0 }]
    buses: []
    meters: []
`;
/** One of every width, as an electrician would list them. */
const registers = `point,slave_id,register,address,address_base,type,unit,scale,poll_s
voltage,1,holding,16,0,float32,V,1,1
current,1,holding,40,0,uint16,A,0.001,1
counts,1,holding,0,0,uint16,,1,1
`;

test('from an empty park to the first value in the cloud, with what was read before, and out again', async () => {
  const begun = performance.now();
  const steps: string[] = [];
  const step = (what: string): void =>
    void steps.push(`${((performance.now() - begun) / 1_000).toFixed(1).padStart(6)} s  ${what}`);
  const home = join(folder, 'gw');
  await givenFleet(database.owner, cloud.accountId, emptyPark);
  const [{ id: buildingId } = { id: '' }] = await rows<{ id: string }>('select id from building');

  // On site, without a cloud: a home, a connection, a list of points, and readings begin.
  expect(
    await run('gateway', 'prepare', '--home', home, '--name', 'Plant room', '--site', 'harbour'),
  ).toMatchObject({
    code: 0,
  });
  const yaml = join(home, 'gateway.yaml');
  const document = parseDocument(readFileSync(yaml, 'utf8'));
  document.set('connections', [
    { id: 'panel', driver: 'modbus', params: { transport: 'tcp', ...bench.ports['panel'] }, devices: [] },
  ]);
  writeFileSync(yaml, document.toString());
  writeFileSync(join(folder, 'points.csv'), registers);
  const imported = await run('points', 'import', 'points.csv', '--format', 'modbus', '--home', home, '--yes');
  expect(imported, imported.err).toMatchObject({ code: 0 });
  const merged = await run('points', 'apply', '--connection', 'panel', '--home', home, '--out', 'new.yaml');
  expect(merged, merged.err).toMatchObject({ code: 0 });
  writeFileSync(yaml, readFileSync(join(folder, 'new.yaml')));
  const before = String(parseDocument(readFileSync(yaml, 'utf8')).get('gatewayId'));
  step('mapped on site: template or CSV, without a cloud');
  const gateway = startGateway(home);
  await until('the outbox holds readings', async () =>
    existsSync(join(home, 'outbox.sqlite')) && gateway.log().includes('"ready"') ? true : undefined,
  );
  await sleep(2_500); // Readings that belong to nobody yet.
  const claimedFrom = new Date();
  step('reads the devices');

  // In the cloud: the gateway and its code.
  const body = { key: 'gw-a', name: { en: 'Plant room', zh: '机房' }, buildingId };
  const { id } = await cloud.call<GatewayIdentityView>('installer', 'POST', '/api/gateways', body);
  const { code } = await cloud.call<NewClaimCode>(
    'account_admin',
    'POST',
    `/api/gateways/${id}/claim-codes`,
    {},
  );
  writeFileSync(join(folder, 'code.txt'), `${code}\n`);
  step('gateway added, code made');

  // The claim: killed when it has made its keys and nobody has seen them, then when the answer is lost, then through.
  let hold: 'request' | 'answer' | undefined = 'request';
  let held = 0;
  const front = await startFront(cloud.url, (path, what) => {
    const isHeld = hold === what && path === '/api/claims/complete';
    if (isHeld) held += 1;
    return isHeld;
  });
  const claim = ['gateway', 'claim', '--home', home, '--url', front.url, '--code-file', 'code.txt'];
  const pinned = [...claim, '--pin', front.pin];
  const foreign = await run(...claim);
  expect([foreign.code, foreign.err]).toEqual([1, expect.stringContaining('cannot prove who it is')]);
  const wrong = await run(...claim, '--pin', `sha256/${'A'.repeat(43)}=`);
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('shows another key')]);
  expect(held).toBe(0); // Nothing was sent to a server that is not believed.
  const nextKeys = (): string => readFileSync(join(home, 'keys/next.json'), 'utf8');
  const killedWhen = async (what: 'request' | 'answer'): Promise<void> => {
    hold = what;
    held = 0;
    const { child, ended } = parkline(pinned);
    await until(`a ${what} is held`, async () => (held > 0 ? true : undefined));
    child.kill('SIGKILL');
    await ended;
  };
  await killedWhen('request');
  const keys = nextKeys();
  await killedWhen('answer');
  expect(nextKeys()).toBe(keys);
  hold = undefined;
  const joined = await run(...claim, '--ca', await fileOf('ca.pem', front.ca), '--json');
  expect(joined, joined.err).toMatchObject({ code: 0 });
  expect(JSON.parse(joined.out)).toMatchObject({ state: 'done', gatewayId: id, site: 'harbour' });
  expect(JSON.parse((await run(...pinned, '--json')).out)).toMatchObject({ state: 'already' });
  const stranger = join(folder, 'stranger');
  const second = await run(
    'gateway',
    'claim',
    '--home',
    stranger,
    '--url',
    cloud.url,
    '--code-file',
    'code.txt',
  );
  expect([second.code, second.err]).toEqual([1, expect.stringContaining('was used by another gateway')]);
  expect(existsSync(stranger)).toBe(false);
  front.stop();
  expect(readFileSync(join(home, 'keys/signing.pem'), 'utf8')).toBe(
    (JSON.parse(keys) as { keys: { signing: string } }).keys.signing,
  );
  expect(String(parseDocument(readFileSync(yaml, 'utf8')).get('gatewayId'))).toBe(id);
  expect(before).not.toBe(id);
  step('claimed, after being killed twice');

  const view = () => cloud.call<GatewayIdentityView>('account_admin', 'GET', `/api/gateways/${id}`);
  await until('connected', async () => (await view()).steps.connectedAt ?? undefined);
  step('connected');
  const offered = await until('its mapping is offered', async () => {
    const { items } = await cloud.call<{ items: GatewayMapping[] }>(
      'installer',
      'GET',
      `/api/gateways/${id}/mappings`,
    );
    return items.find(({ state }) => state === 'offered');
  });
  expect(offered.changes).toMatchObject([{ what: 'add', points: { add: 3 }, why: '' }]);
  await cloud.call('installer', 'POST', `/api/gateways/${id}/mappings/${offered.id}/accept`);
  step('mapping looked at and accepted');
  interface Held {
    readonly key: string;
    readonly first: Date;
    readonly value: number;
  }
  const stored = () =>
    rows<Held>(
      `select p.key, min(r.ts) as first, min(r.value)::float8 as value from reading r join point p on p.num = r.point_num
       group by p.key order by p.key`,
    );
  const held3 = await until('what was read before the claim is at its points', async () => {
    const found = await stored();
    return found.length === 3 && found.every(({ first }) => first < claimedFrom) ? found : undefined;
  });
  expect(held3.map(({ key, value }) => [key, Math.round(value * 1_000) / 1_000])).toEqual([
    ['counts', 65_535],
    ['current', 4.711],
    ['voltage', 230.1],
  ]);
  await until('the first value is noted', async () => (await view()).steps.firstValueAt ?? undefined);
  step('first value in the cloud, and what was read before');
  expect(performance.now() - begun).toBeLessThan(10 * 60_000);

  // A configuration of the cloud, and the log.
  const apply = () =>
    cloud.call<GatewayConfigText>('account_admin', 'POST', `/api/gateways/${id}/configs`, {});
  const { n } = await apply();
  const ended = await until('what became of the configuration', async () => {
    const found = await cloud.call<GatewayConfigText>('installer', 'GET', `/api/gateways/${id}/configs/${n}`);
    return ['kept', 'refused', 'rolled-back'].includes(found.state) ? found : undefined;
  });
  expect(ended, ended.why).toMatchObject({ state: 'kept' });
  step('configuration of the cloud in force');
  const log = await cloud.call<GatewayLog>('installer', 'POST', `/api/gateways/${id}/logs`, { lines: 50 });
  expect(log.lines.join('\n')).toContain('what waits is signed anew');
  expect(log.lines.join('\n')).not.toMatch(/\bSU[A-Z2-7]{50}|eyJ\w+\.\w+\./);

  // New keys: the old ones are thrown out when the gateway has connected with the new ones; nothing is lost.
  const turned = new Date();
  const oldSeed = readFileSync(join(home, 'keys/nats.nk'), 'utf8');
  await cloud.call('account_admin', 'POST', `/api/gateways/${id}/rotate`);
  await until('the old keys are thrown out', async () => {
    const found = await rows('select 1 from gateway_credential where revoke_pushed_at is not null');
    return found.length === 1 ? true : undefined;
  });
  expect(readFileSync(join(home, 'keys/nats.nk'), 'utf8')).not.toBe(oldSeed);
  await until('values go on under the new keys', async () => {
    const [latest] = await rows<{ at: Date }>('select max(ts) as at from point_latest');
    return latest && latest.at > turned ? true : undefined;
  });
  step('keys changed');
  await until('nothing is left that was not believed', async () => {
    const left = await rows('select 1 from quarantine where resolved_at is null');
    return left.length === 0 ? true : undefined;
  });

  // Thrown out: off within two seconds, on the message server and for what it sends.
  const revokedAt = performance.now();
  await cloud.call('account_admin', 'POST', `/api/gateways/${id}/revoke`, { name: 'Plant room' });
  await until('its connection is closed', async () => {
    const reply = await fetch(`http://127.0.0.1:${cloud.nats.httpPort}/connz`);
    const { connections } = (await reply.json()) as { connections: { name?: string }[] };
    return connections.some(({ name }) => name === `gateway ${id}`) ? undefined : true;
  });
  expect(performance.now() - revokedAt).toBeLessThan(2_000);
  step('thrown out');
  await gateway.stop();
  process.stdout.write(`\n${steps.join('\n')}\n`);
});

async function fileOf(name: string, text: string): Promise<string> {
  writeFileSync(join(folder, name), text);
  return Promise.resolve(join(folder, name));
}

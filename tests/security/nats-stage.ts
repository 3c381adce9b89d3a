// The stage of the attacks on the message server: the park's streams and users, a victim and an attacker who is a gateway of the
// park and has everything such a gateway has.
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { createUser } from '@nats-io/nkeys';
import { connect, headers, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { subjects, UPLINK_STREAM } from '@parkline/contract';
import { connectionOptions } from '../../cloud/src/platform/nats.ts';
import { openUplink } from '../../cloud/src/telemetry/uplink-stream.ts';
import { byCreds, startNats, type TestNats } from '../support/nats.ts';

export const VICTIM = '0198c0de-0000-7000-8000-000000000001';
export const ATTACKER = '0198c0de-0000-7000-8000-000000000002';
/** A second stream of the cloud; nothing of a gateway should ever reach it. */
export const HELD_STREAM = 'HELD';

export interface Player {
  readonly id: string;
  readonly seed: Uint8Array;
  readonly jwt: string;
  readonly nats: NatsConnection;
  /** What the server refused this connection, in its words. */
  readonly refusals: string[];
}

export interface Stage {
  readonly server: TestNats;
  /** May do everything in CORE: looks what an attack did. */
  readonly core: NatsConnection;
  readonly manager: JetStreamManager;
  readonly victim: Player;
  readonly attacker: Player;
  /** What reached the victim, by subject. */
  readonly heard: { subject: string; text: string }[];
  /** The key whose signatures the victim believes. */
  readonly cloudKey: ReturnType<typeof generateKeyPairSync>;
  /** As the victim's outbox makes it: its secret is on the gateway alone. */
  messageId(seq: number): string;
  close(): Promise<void>;
}

export async function openStage(program?: string): Promise<Stage> {
  const users = [VICTIM, ATTACKER].map((id) => ({ id, user: createUser() }));
  const gateways = users.map(({ id, user }) => ({ id, publicNkey: user.getPublicKey() }));
  // The uplink alone reserves a gigabyte.
  const change = () => Promise.resolve({ maxFileStore: 4 * 1024 ** 3 });
  const server = await startNats({ gateways, change, ...(program && { program }) });
  const core = await connect({ servers: server.url, authenticator: byCreds(server.coreCreds) });
  const manager = await openStreams(server, core);
  const [victim, attacker] = await Promise.all(
    users.map(({ id, user }) => enter(server.url, id, user.getSeed(), server.gatewayJwts.get(id) ?? '')),
  );
  if (!victim || !attacker) throw new Error('two gateways were asked for');
  const heard = listen(victim);
  const responder = await connect(
    connectionOptions({ url: server.url, credsDir: server.credsDir }, 'responder'),
  );
  // Worse than ours, which answers with what it signed: this one lets the asker choose the words.
  responder.subscribe('rpc.*.echo', { callback: (_error, message) => void message.respond(message.data) });
  await Promise.all([responder.flush(), victim.nats.flush()]);
  const secret = randomBytes(32);
  return {
    ...{ server, core, manager, victim, attacker, heard, cloudKey: generateKeyPairSync('ed25519') },
    messageId: (seq) => createHmac('sha256', secret).update(`epoch|${seq}`).digest('base64url'),
    async close() {
      await Promise.all([core, victim.nats, attacker.nats, responder].map((one) => one.close()));
      await server.stop();
    },
  };
}

/** The uplink as ingest makes it, with ingest's own user, and a stream beside it; five messages in each. */
async function openStreams(server: TestNats, core: NatsConnection): Promise<JetStreamManager> {
  const ingest = await connect(connectionOptions({ url: server.url, credsDir: server.credsDir }, 'ingest'));
  await openUplink(ingest);
  await ingest.close();
  const manager = await jetstreamManager(core);
  await manager.streams.add({ name: HELD_STREAM, subjects: ['held.>'] });
  for (let n = 0; n < 5; n += 1) {
    await core.request('held.one', String(n));
    await core.request(subjects.uplink(VICTIM), `honest ${n}`);
  }
  return manager;
}

/** Connects as a gateway; its refusals are noted from the first on. */
export async function enter(url: string, id: string, seed: Uint8Array, jwt: string): Promise<Player> {
  const nats = await connect({
    servers: url,
    authenticator: jwtAuthenticator(jwt, seed),
    inboxPrefix: `_INBOX.${id}`,
    reconnect: false,
  });
  const refusals: string[] = [];
  void (async () => {
    for await (const status of nats.status())
      if (status.type === 'error') refusals.push(status.error.message);
  })();
  return { id, seed, jwt, nats, refusals };
}

function listen({ id, nats }: Player): Stage['heard'] {
  const heard: Stage['heard'] = [];
  for (const subject of [`cmd.${id}.>`, `_INBOX.${id}.>`])
    nats.subscribe(subject, {
      callback: (_error, message) => void heard.push({ subject: message.subject, text: message.string() }),
    });
  return heard;
}

/** What the streams hold, told as one text: equal before and after an attack means untouched. */
export async function contents({ manager }: Stage): Promise<string> {
  const lines: string[] = [];
  for await (const { config, state } of manager.streams.list())
    lines.push(`${config.name}: ${state.messages} messages, ${state.consumer_count} consumers`);
  return lines.sort().join('; ');
}

/** Makes the attacker's messages go out and whatever they cause come in. */
export async function settle({ attacker, victim, core }: Stage): Promise<void> {
  await attacker.nats.flush();
  // What one message sets off takes further hops inside the server; each flush is a round trip behind them.
  for (let n = 0; n < 3; n += 1) {
    await sleep(10);
    await Promise.all([core.flush(), victim.nats.flush()]);
  }
}

/** Headers of one field each. */
export function withHeaders(fields: Readonly<Record<string, string>>) {
  const head = headers();
  for (const [name, value] of Object.entries(fields)) head.set(name, value);
  return head;
}

export const uplinkOf = (id: string): string => subjects.uplink(id);
export { UPLINK_STREAM };

/** One attempt: what was tried, what must come of it, what did. */
export interface Attempt {
  readonly attack: string;
  readonly expected: string;
  readonly seen: string;
}

export interface Attack {
  readonly attack: string;
  readonly expected: string;
  readonly run: (stage: Stage) => Promise<string>;
}

export const DENIED = 'refused';

/** Does something, and tells whether the server refused it by a permission. */
export async function permission({ attacker }: Stage, act: () => void): Promise<string> {
  const before = attacker.refusals.length;
  act();
  await attacker.nats.flush();
  const isRefused = (): boolean =>
    attacker.refusals.slice(before).some((words) => /permissions violation/i.test(words));
  // The server has answered; the client tells of it a little later.
  for (let n = 0; n < 100 && !isRefused(); n += 1) await sleep(10);
  return isRefused() ? DENIED : 'allowed';
}

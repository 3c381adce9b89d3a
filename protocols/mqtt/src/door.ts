import type { DriverLog } from '@parkline/kit';
import type { AedesOptions, AuthenticateError, Client } from 'aedes';
import { below, isToken } from './access.ts';
import type { Station } from './station.ts';

/** Connections of one device at once: a new one may overlap the old, dead one a few times. */
const MAX_CONNECTIONS_EACH = 4;
/** CONNACK return codes, MQTT 3.1.1 clause 3.2.2.3. */
const BAD_LOGIN = 4;
const SERVER_UNAVAILABLE = 3;

/** A device that may connect. */
export interface Account {
  readonly username: string;
  /** SHA-256 of its token, hex. */
  readonly passwordSha256: string;
  readonly station: Station;
}

export interface DoorDeps {
  readonly maxPacketBytes: number;
  readonly accountOf: (username: string) => Account | undefined;
  readonly log: DriverLog;
}

/** Who may come in, and what they may tell and hear. One instance per start of the broker. */
export function createDoor({ accountOf, maxPacketBytes, log }: DoorDeps) {
  const visits = new Map<Client, { readonly account: Account; gone(): void }>();
  const said = new Set<string>();

  /** A device in the field repeats its mistake every second for years, and a stranger may say long things. */
  function warnOnce(given: Readonly<Record<string, unknown>>, message: string): void {
    const facts = Object.fromEntries(
      Object.entries(given).map(([name, fact]) => [
        name,
        typeof fact === 'string' ? fact.slice(0, 100) : fact,
      ]),
    );
    const key = `${message} ${JSON.stringify(facts)}`;
    if (said.has(key) || said.size >= 1_000) return;
    said.add(key);
    log.warn(facts, message);
  }

  const rules: AedesOptions = {
    preConnect(_client, packet, done) {
      const { username = '' } = packet;
      if ((packet.protocolVersion ?? 4) > 4) {
        const advice = 'set the device to MQTT 3.1.1 (protocol level 4)';
        warnOnce({ username, protocolVersion: packet.protocolVersion, advice }, 'mqtt 5 is not spoken here');
      }
      // Ids are private to their user: nobody ends another's connection by taking its id. No session outlives its
      // connection either, or queues for devices that never return would fill the memory.
      if (packet.clientId !== '') packet.clientId = `${username}/${packet.clientId}`;
      packet.clean = true;
      done(null, true);
    },
    authenticate(client, username = '', password = Buffer.alloc(0), done) {
      const account = accountOf(username);
      if (!isToken(password, account?.passwordSha256) || !account) {
        warnOnce({ username }, 'mqtt login refused');
        done(refusal(BAD_LOGIN, 'unknown user or wrong token'), false);
        return;
      }
      const others = [...visits.values()].filter((visit) => visit.account.username === username);
      if (others.length >= MAX_CONNECTIONS_EACH) {
        warnOnce({ username }, 'mqtt device has too many connections');
        done(refusal(SERVER_UNAVAILABLE, 'too many connections'), false);
        return;
      }
      // Gone while it logged in: its end was announced before it could count.
      if (client.conn.destroyed) {
        done(refusal(SERVER_UNAVAILABLE, 'gone'), false);
        return;
      }
      visits.set(client, { account, ...account.station.came() });
      done(null, true);
    },
    authorizePublish(client, packet, done) {
      const { topic, payload } = packet;
      const account = client ? visits.get(client)?.account : undefined;
      const subtopic = account && below(account.username, topic);
      const isOwn = client === null || subtopic !== undefined;
      // What is not remembered is not retained either.
      if (subtopic !== undefined && !account?.station.hasRoom(subtopic)) packet.retain = false;
      const username = account?.username;
      const isTooLarge = payload.length > maxPacketBytes;
      if (!isOwn) warnOnce({ username, topic }, 'mqtt publish refused: not a topic of this device');
      else if (isTooLarge) warnOnce({ username, topic, maxPacketBytes }, 'mqtt publish refused: too large');
      done(isOwn && !isTooLarge ? null : new Error('refused'));
    },
    authorizeSubscribe(client, subscription, done) {
      const { topic } = subscription;
      const username = visits.get(client)?.account.username;
      const isOwn = username !== undefined && below(username, topic) !== undefined;
      if (!isOwn) warnOnce({ username, topic }, 'mqtt subscription refused: not a topic of this device');
      done(null, isOwn ? subscription : null);
    },
  };

  return {
    rules,
    left(client: Client): void {
      visits.get(client)?.gone();
      visits.delete(client);
    },
    /** A last will says nothing that the end of its connection does not; after a takeover it even lies. */
    heard(client: Client, topic: string, payload: Uint8Array): void {
      const visit = visits.get(client);
      const subtopic = visit && below(visit.account.username, topic);
      if (client.closed || subtopic === undefined) return;
      try {
        if (visit?.account.station.heard(subtopic, payload) === false)
          warnOnce({ username: visit.account.username }, 'mqtt device uses too many topics');
      } catch (err) {
        warnOnce({ topic, err: String(err) }, 'mqtt message could not be taken');
      }
    },
  };
}

const refusal = (returnCode: number, message: string): AuthenticateError =>
  Object.assign(new Error(message), { returnCode }) as AuthenticateError;

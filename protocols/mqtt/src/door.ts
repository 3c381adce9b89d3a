import { Socket } from 'node:net';
import type { DriverLog } from '@parkline/kit';
import type { AedesOptions, AuthenticateError, Client } from 'aedes';
import { isToken } from './access.ts';
import type { Inbox, Kept } from './inbox.ts';
import type { Seen } from './seen.ts';
import type { Subject } from './subject.ts';
import type { Throttle } from './throttle.ts';

/** Connections of one device at once: a new one may overlap the old, dead one a few times. */
const MAX_CONNECTIONS_EACH = 4;
/** CONNACK return codes, MQTT 3.1.1 clause 3.2.2.3. */
const BAD_LOGIN = 4;
const SERVER_UNAVAILABLE = 3;
const ADVICE = 'set the device to MQTT 3.1.1 (protocol level 4)';
/** CONNACK of MQTT 5 (clause 3.2.2.2): unsupported protocol version; aedes has the form of 3.1.1 only. */
const REFUSAL_5 = Buffer.from('2003008400', 'hex');

/** Who may connect. */
export interface Account {
  readonly username: string;
  /** SHA-256 of its token, hex. */
  readonly passwordSha256: string;
  /** What it tells of. */
  readonly subjects: readonly Subject[];
  readonly throttle: Throttle;
}

export interface DoorDeps {
  readonly maxPacketBytes: number;
  readonly accountOf: (username: string) => Account | undefined;
  readonly seen: Seen;
  readonly now: () => number;
  readonly log: DriverLog;
}

interface Visit {
  readonly account: Account;
  gone(): void;
}
/** A message on its way from the wire to its subject. */
interface Arrival {
  readonly subject: Subject;
  readonly receivedAt: number;
  readonly kept?: Kept;
}

/** A device in the field repeats its mistake every second for years, and a stranger may say long things. */
function createWarnings(log: DriverLog) {
  const said = new Set<string>();
  return (given: Readonly<Record<string, unknown>>, message: string): void => {
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
  };
}

const subjectOf = (account: Account | undefined, topic: string): Subject | undefined =>
  account?.subjects.find((subject) => subject.owns(topic));

/** The user whose client this is: its id begins with the name. */
export const userOf = (clientId: string): string => clientId.slice(0, Math.max(0, clientId.indexOf('/')));

/** Who may come in, and what they may tell and hear. One instance per start of the broker. */
export function createDoor({ accountOf, maxPacketBytes, seen, now, log }: DoorDeps, inbox: Inbox) {
  const visits = new Map<Client, Visit>();
  const arrivals = new WeakMap<object, Arrival>();
  const warnOnce = createWarnings(log);
  const addressOf = ({ conn }: Client): string => (conn instanceof Socket && conn.remoteAddress) || 'unknown';

  /** Notes who came, or why not. A known user who has the token is told of it on its device, too. */
  function note(client: Client, username: string, refusal?: string, hasToken = false): void {
    const clientId = client.id ?? '';
    seen.note({ username, clientId, address: addressOf(client), at: now(), ...(refusal && { refusal }) });
    if (refusal && hasToken)
      for (const station of accountOf(username)?.subjects.flatMap((one) => one.stations()) ?? [])
        station.refused(refusal);
  }

  const preConnect: NonNullable<AedesOptions['preConnect']> = (client, packet, done) => {
    const { username = '', password } = packet;
    if ((packet.protocolVersion ?? 4) > 4) {
      warnOnce(
        { username, protocolVersion: packet.protocolVersion, advice: ADVICE },
        'mqtt 5 is not spoken here',
      );
      const hasToken = isToken(password ?? Buffer.alloc(0), accountOf(username)?.passwordSha256);
      note(client, username, `it speaks MQTT 5, which the gateway does not: ${ADVICE}`, hasToken);
      client.conn.end(REFUSAL_5, () => {
        done(new Error('mqtt 5'), false);
      });
      return;
    }
    // Ids are private to their user: nobody ends another's connection by taking its id.
    if (packet.clientId !== '') packet.clientId = `${username}/${packet.clientId}`;
    done(null, true);
  };

  const authenticate: NonNullable<AedesOptions['authenticate']> = (
    client,
    username = '',
    password = Buffer.alloc(0),
    done,
  ) => {
    const account = accountOf(username);
    const refuse = (code: number, why: string): void => {
      done(refusal(code, why), false);
    };
    if (!isToken(password, account?.passwordSha256) || !account) {
      warnOnce({ username, address: addressOf(client) }, 'mqtt login refused');
      const why = account ? 'wrong token' : 'unknown user: add the device with its user name and token';
      note(client, username, why);
      if (account)
        for (const one of account.subjects.flatMap((each) => each.stations()))
          one.refused(`its login from ${addressOf(client)} was refused: wrong token`);
      refuse(BAD_LOGIN, 'unknown user or wrong token');
      return;
    }
    const others = [...visits.values()].filter((visit) => visit.account.username === username);
    if (others.length >= MAX_CONNECTIONS_EACH) {
      warnOnce({ username }, 'mqtt device has too many connections');
      refuse(SERVER_UNAVAILABLE, 'too many connections');
      return;
    }
    // Gone while it logged in: its end was announced before it could count.
    if (client.conn.destroyed) {
      refuse(SERVER_UNAVAILABLE, 'gone');
      return;
    }
    const sessions = account.subjects
      .flatMap((subject) => subject.stations())
      .map((station) => station.came());
    visits.set(client, {
      account,
      gone() {
        for (const session of sessions) session.gone();
      },
    });
    note(client, username);
    done(null, true);
  };

  /** QoS 1 and 2 are acknowledged after this: then the message is on the disk. */
  async function admit(
    client: Client,
    account: Account,
    subject: Subject,
    packet: object & AedesMessage,
  ): Promise<void> {
    const receivedAt = now();
    const hasWaited = await account.throttle.turn();
    if (hasWaited)
      warnOnce({ username: account.username }, 'mqtt device tells more than it may: slowed down');
    const { topic, qos, retain } = packet;
    const isWill = client.closed;
    if (qos === 0 || isWill) {
      arrivals.set(packet, { subject, receivedAt });
      return;
    }
    const message = { topic, qos, retain, receivedAt, payload: Buffer.from(packet.payload) };
    arrivals.set(packet, { subject, receivedAt, kept: await inbox.keep(account.username, message) });
  }

  const authorizePublish: NonNullable<AedesOptions['authorizePublish']> = (client, packet, done) => {
    const { topic, payload } = packet;
    const account = client ? visits.get(client)?.account : undefined;
    const subject = subjectOf(account, topic);
    // What is not remembered is not retained either.
    if (subject?.hasRoom(topic) === false) packet.retain = false;
    const username = account?.username;
    if (client === null) {
      done(null);
    } else if (!account || !subject) {
      warnOnce({ username, topic }, 'mqtt publish refused: not a topic of this device');
      done(new Error('refused'));
    } else if (payload.length > maxPacketBytes) {
      warnOnce({ username, topic, maxPacketBytes }, 'mqtt publish refused: too large');
      done(new Error('refused'));
    } else {
      admit(client, account, subject, packet as AedesMessage).then(
        () => {
          done(null);
        },
        (err: unknown) => {
          warnOnce(
            { username, err: String(err) },
            'mqtt message could not be kept, so it is not acknowledged',
          );
          done(err instanceof Error ? err : new Error(String(err)));
        },
      );
    }
  };

  const mayHear = (clientId: string, filter: string): boolean =>
    accountOf(userOf(clientId))?.subjects.some((subject) => subject.mayHear(filter)) ?? false;

  const authorizeSubscribe: NonNullable<AedesOptions['authorizeSubscribe']> = (
    client,
    subscription,
    done,
  ) => {
    const { topic } = subscription;
    const account = visits.get(client)?.account;
    const isOwn = account?.subjects.some((subject) => subject.mayHear(topic)) ?? false;
    if (!isOwn)
      warnOnce(
        { username: account?.username, topic },
        'mqtt subscription refused: not a topic of this device',
      );
    done(null, isOwn ? subscription : null);
  };

  return {
    rules: { preConnect, authenticate, authorizePublish, authorizeSubscribe } satisfies AedesOptions,
    mayHear,
    /** Connections of a device. */
    clientsOf: (username: string): Client[] =>
      [...visits].flatMap(([client, { account }]) => (account.username === username ? [client] : [])),
    left(client: Client): void {
      visits.get(client)?.gone();
      visits.delete(client);
    },
    /** A last will says nothing that the end of its connection does not; after a takeover it even lies. */
    heard(client: Client, packet: object & AedesMessage): void {
      const arrival = arrivals.get(packet);
      if (!arrival || (client.closed && !arrival.kept)) return;
      const { subject, receivedAt, kept } = arrival;
      const { topic, payload, qos, retain } = packet;
      try {
        if (!subject.heard({ topic, payload, qos, retain, receivedAt }, kept))
          warnOnce({ username: userOf(client.id) }, 'mqtt device uses too many topics');
      } catch (err) {
        warnOnce({ topic, err: String(err) }, 'mqtt message could not be taken');
      }
    },
  };
}

/** What matters of a PUBLISH packet. */
export interface AedesMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

const refusal = (returnCode: number, message: string): AuthenticateError =>
  Object.assign(new Error(message), { returnCode }) as AuthenticateError;

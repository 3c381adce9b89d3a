import { Readable } from 'node:stream';
import aedesPersistence from 'aedes-persistence';
import type { Store } from './store.ts';

/** Its types describe another module format than it has. */
const createMemory = aedesPersistence as unknown as () => Memory;

/** What is retained is written this often; until then an acknowledged message is in the inbox, ms. */
const RETAIN_MS = 1_000;
/** Messages that wait for one client; of more, the first are dropped. */
const MAX_WAITING = 1_000;
/** Clients of one device that are remembered while they are away. */
const MAX_SESSIONS = 4;

interface Client {
  readonly id: string;
}
interface Subscription {
  readonly topic: string;
  readonly qos: number;
}
interface Packet {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  readonly brokerId: string;
  readonly brokerCounter: number;
  messageId?: number;
  /** Unix ms; waits for nobody after this. */
  readonly messageExpiry?: number;
}
interface Waiting extends Packet {
  readonly rowId: number;
}

/** The part of aedes-persistence that is used; without callbacks its methods are promises, which its types do not say. */
interface Memory {
  setup(broker: unknown): Promise<void>;
  storeRetained(packet: Partial<Packet>): Promise<void>;
  createRetainedStream(pattern: string): Readable;
  createRetainedStreamCombi(patterns: readonly string[]): Readable;
  addSubscriptions(client: Client, subs: readonly Subscription[]): Promise<void>;
  removeSubscriptions(client: Client, filters: readonly string[]): Promise<void>;
  subscriptionsByClient(client: Client): Promise<unknown>;
  subscriptionsByTopic(topic: string): Promise<unknown>;
  cleanSubscriptions(client: Client): Promise<void>;
  countOffline(): Promise<unknown>;
  incomingStorePacket(client: Client, packet: Packet): Promise<void>;
  incomingGetPacket(client: Client, packet: Packet): Promise<unknown>;
  incomingDelPacket(client: Client, packet: Packet): Promise<void>;
  cleanIncoming(client: Client): Promise<void>;
  putWill(client: Client, packet: Packet): Promise<void>;
  getWill(client: Client): Promise<unknown>;
  delWill(client: Client): Promise<unknown>;
  streamWill(brokers: object): Readable;
  getClientList(topic: string): Readable;
  destroy(): Promise<void>;
}

export interface SessionDeps {
  readonly store: Store;
  readonly now: () => number;
  /** Whether this client may hear what a filter asks for. aedes asks to remember what it refused, too. */
  readonly mayHear: (clientId: string, filter: string) => boolean;
  /** What could not be written though nobody waits for it. */
  readonly onFailure: (error: unknown) => void;
  /** Several clients belong to one device. */
  readonly deviceOf: (clientId: string) => string;
}

/**
 * What aedes asks of a persistence, with retained messages, subscriptions, last wills and waiting messages on the disk.
 * Half-done QoS 2 handshakes are in memory only: after a restart such a message may come twice.
 */
export function createSessions({ store, now, mayHear, deviceOf, onFailure }: SessionDeps) {
  const memory = createMemory();
  const outgoing = new Map<string, Waiting[]>();
  /** Clients with subscriptions, the one that came first in front. */
  const remembered = new Set<string>();
  const changed = new Map<string, Packet>();
  let timer: NodeJS.Timeout | undefined;
  let nextRow = 1 + Number(store.rows('SELECT max(id) AS last FROM outgoing')[0]?.['last'] ?? 0);

  const isSame = (a: Packet, b: Packet): boolean =>
    a.brokerId === b.brokerId && a.brokerCounter === b.brokerCounter;
  const dropRow = ({ rowId }: Waiting): Promise<void> =>
    store.write('DELETE FROM outgoing WHERE id = ?', rowId);

  /** Only the last of each topic: devices retain everything they tell. */
  function writeRetained(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const { topic, payload, qos } of changed.values()) {
      const writing =
        payload.length === 0
          ? store.write('DELETE FROM retained WHERE topic = ?', topic)
          : store.write('INSERT OR REPLACE INTO retained VALUES (?, ?, ?, ?)', topic, payload, qos, now());
      writing.catch(onFailure);
    }
    changed.clear();
  }

  async function forgetClient(id: string): Promise<void> {
    remembered.delete(id);
    outgoing.delete(id);
    await memory.cleanSubscriptions({ id });
    await Promise.all([
      store.write('DELETE FROM subscription WHERE client = ?', id),
      store.write('DELETE FROM outgoing WHERE client = ?', id),
    ]);
  }

  async function addSubscriptions(client: Client, wanted: readonly Subscription[]): Promise<void> {
    const allowed = wanted.filter(({ topic }) => mayHear(client.id, topic));
    if (allowed.length === 0) return;
    remembered.delete(client.id);
    remembered.add(client.id);
    const mates = [...remembered].filter((id) => deviceOf(id) === deviceOf(client.id));
    await Promise.all(mates.slice(0, -MAX_SESSIONS).map(forgetClient));
    await memory.addSubscriptions(client, allowed);
    await Promise.all(
      allowed.map(({ topic, qos }) =>
        store.write('INSERT OR REPLACE INTO subscription VALUES (?, ?, ?)', client.id, topic, qos),
      ),
    );
  }

  async function enqueue(clientId: string, packet: Packet): Promise<void> {
    const waiting = outgoing.get(clientId) ?? [];
    outgoing.set(clientId, waiting);
    const { topic, qos, retain, payload } = packet;
    const entry = { ...packet, rowId: nextRow++, messageId: undefined } as unknown as Waiting;
    waiting.push(entry);
    const drops = waiting.splice(0, Math.max(0, waiting.length - MAX_WAITING)).map(dropRow);
    // What expires soon is worth nothing after a restart.
    if (packet.messageExpiry === undefined)
      drops.push(
        store.write(
          'INSERT INTO outgoing VALUES (?, ?, ?, ?, ?, ?)',
          ...[entry.rowId, clientId, topic, payload, qos, retain ? 1 : 0],
        ),
      );
    await Promise.all(drops);
  }

  async function setup(broker: unknown): Promise<void> {
    await memory.setup(broker);
    for (const row of store.rows('SELECT * FROM retained'))
      await memory.storeRetained({ ...packetOf(row), retain: true });
    for (const { client, filter, qos } of store.rows('SELECT * FROM subscription ORDER BY rowid')) {
      remembered.add(String(client));
      const one = { topic: String(filter), qos: Number(qos) };
      await memory.addSubscriptions({ id: String(client) }, [one]);
    }
    for (const row of store.rows('SELECT * FROM outgoing ORDER BY id')) {
      const id = String(row['client']);
      const waiting = outgoing.get(id) ?? [];
      outgoing.set(id, waiting);
      waiting.push({
        ...packetOf(row),
        rowId: Number(row['id']),
        brokerId: 'before',
        brokerCounter: Number(row['id']),
      } as Waiting);
    }
  }

  return {
    setup,
    storeRetained(packet: Packet): Promise<void> {
      changed.set(packet.topic, packet);
      timer ??= setTimeout(writeRetained, RETAIN_MS).unref();
      return memory.storeRetained(packet);
    },
    createRetainedStream: (pattern: string) => memory.createRetainedStream(pattern),
    createRetainedStreamCombi: (patterns: string[]) => memory.createRetainedStreamCombi(patterns),
    addSubscriptions,
    async removeSubscriptions(client: Client, filters: readonly string[]): Promise<void> {
      await memory.removeSubscriptions(client, filters);
      await Promise.all(
        filters.map((filter) =>
          store.write('DELETE FROM subscription WHERE client = ? AND filter = ?', client.id, filter),
        ),
      );
    },
    subscriptionsByClient: (client: Client) => memory.subscriptionsByClient(client),
    subscriptionsByTopic: (topic: string) => memory.subscriptionsByTopic(topic),
    cleanSubscriptions: (client: Client) => forgetClient(client.id),
    countOffline: () => memory.countOffline(),
    outgoingEnqueue: ({ clientId }: { clientId: string }, packet: Packet) => enqueue(clientId, packet),
    async outgoingEnqueueCombi(subs: readonly { clientId: string }[], packet: Packet): Promise<void> {
      await Promise.all([...new Set(subs.map(({ clientId }) => clientId))].map((id) => enqueue(id, packet)));
    },
    outgoingUpdate(client: Client, packet: Packet): Promise<void> {
      const waiting = outgoing.get(client.id) ?? [];
      const place = waiting.findIndex((one) => isSame(one, packet) || one.messageId === packet.messageId);
      const found = waiting[place];
      if (!found) return Promise.reject(new Error('no such packet'));
      if (isSame(found, packet)) found.messageId = packet.messageId!;
      else waiting[place] = { ...packet, rowId: found.rowId } as Waiting;
      return Promise.resolve();
    },
    async outgoingClearMessageId(client: Client, { messageId }: Packet): Promise<Packet | undefined> {
      const waiting = outgoing.get(client.id) ?? [];
      const place = waiting.findIndex((one) => one.messageId === messageId);
      const [found] = place < 0 ? [] : waiting.splice(place, 1);
      if (found) dropRow(found).catch(onFailure); // It comes again after a restart; at least once is promised.
      return found;
    },
    outgoingStream(client: Client): Readable {
      const waiting = outgoing.get(client.id) ?? [];
      const isOver = (one: Waiting): boolean => (one.messageExpiry ?? Infinity) <= now();
      const alive = waiting.filter((one) => !isOver(one));
      if (alive.length < waiting.length) outgoing.set(client.id, alive);
      return Readable.from([...alive]);
    },
    incomingStorePacket: (client: Client, packet: Packet) => memory.incomingStorePacket(client, packet),
    incomingGetPacket: (client: Client, packet: Packet) => memory.incomingGetPacket(client, packet),
    incomingDelPacket: (client: Client, packet: Packet) => memory.incomingDelPacket(client, packet),
    cleanIncoming: (client: Client) => memory.cleanIncoming(client),
    async putWill(client: Client, packet: Packet): Promise<void> {
      await memory.putWill(client, packet);
      const { topic, qos, retain } = packet;
      const payload = packet.payload;
      await store.write(
        'INSERT OR REPLACE INTO will VALUES (?, ?, ?, ?, ?)',
        client.id,
        topic,
        payload,
        qos,
        retain ? 1 : 0,
      );
    },
    getWill: (client: Client) => memory.getWill(client),
    async delWill(client: Client): Promise<unknown> {
      const will = await memory.delWill(client);
      store.write('DELETE FROM will WHERE client = ?', client.id).catch(onFailure);
      return will;
    },
    streamWill: (brokers: object) => memory.streamWill(brokers),
    getClientList: (topic: string) => memory.getClientList(topic),
    destroy: () => memory.destroy(),
    /** Hands everything to the store; nothing may follow. */
    flush: writeRetained,
  };
}

/** A packet as it was kept. */
const packetOf = (row: Readonly<Record<string, unknown>>) => ({
  cmd: 'publish' as const,
  topic: String(row['topic']),
  payload: Buffer.from(row['payload'] as Uint8Array),
  qos: Number(row['qos']) as 0 | 1 | 2,
  retain: row['retain'] === 1,
  dup: false,
});

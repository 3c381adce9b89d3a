import {
  AckPolicy,
  type Consumer,
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { allUplinks, INGEST_CONSUMER, UPLINK_STREAM } from '@parkline/contract';

/** How long a message may be in work before another process gets it. A transaction takes well under a second. */
const ACK_WAIT_MS = 5_000;
/** Full means that gateways keep their rows and see an error; nothing is ever pushed out. */
const MAX_BYTES = 1024 ** 3;
/**
 * One gateway's share of messages that nobody has read yet: some minutes of a busy one, and at the most that a message may
 * weigh half of the room. Whoever floods is refused, and the others go on.
 */
export const MOST_OF_ONE = 512;

/** Of the JetStream API. */
export const STREAM_NOT_FOUND = 10_059;

/** What the promise "acknowledged is stored" rests on. */
const wanted = {
  name: UPLINK_STREAM,
  subjects: [allUplinks],
  retention: RetentionPolicy.Workqueue,
  storage: StorageType.File,
  discard: DiscardPolicy.New,
  max_bytes: MAX_BYTES,
  max_msgs_per_subject: MOST_OF_ONE,
  discard_new_per_subject: true,
} satisfies Partial<StreamConfig>;

/**
 * Makes the stream and the durable consumer that all ingest processes share, or checks the ones that are there.
 * @param replicas servers of a cluster that hold each message; 1 or 3.
 * @param advise told what loses nothing and had better be changed.
 * @throws Error when the stream would lose messages by its settings: someone must decide, so nothing is changed.
 */
export async function openUplink(
  nats: NatsConnection,
  replicas = 1,
  advise: (text: string) => void = () => undefined,
): Promise<Consumer> {
  const manager = await jetstreamManager(nats);
  const config = await ensureStream(manager, replicas);
  const faults = streamFaults(config, replicas);
  if (faults.length > 0) throw new Error(`stream ${UPLINK_STREAM} is not safe: ${faults.join('; ')}`);
  const advice = streamAdvice(config);
  if (advice) advise(advice);
  await manager.consumers.add(UPLINK_STREAM, {
    durable_name: INGEST_CONSUMER,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_deliver: -1,
    max_ack_pending: 4_096,
  });
  return jetstream(nats).consumers.get(UPLINK_STREAM, INGEST_CONSUMER);
}

async function ensureStream(manager: JetStreamManager, replicas: number): Promise<StreamConfig> {
  try {
    return (await manager.streams.info(UPLINK_STREAM)).config;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error;
    return (await manager.streams.add({ ...wanted, num_replicas: replicas })).config;
  }
}

/** Settings that break a promise, in words. `persist_mode: async` would undo the server's sync_interval: always. */
export function streamFaults(config: Partial<StreamConfig>, replicas = 1): string[] {
  const faults: string[] = [];
  if (config.storage !== StorageType.File) faults.push(`storage is ${config.storage}, not file`);
  if (config.retention !== RetentionPolicy.Workqueue)
    faults.push(`retention is ${config.retention}, not workqueue`);
  if (config.discard !== DiscardPolicy.New) faults.push(`discard is ${config.discard}, not new`);
  if (config.persist_mode === 'async') faults.push('persist_mode is async');
  if ((config.max_msgs_per_subject ?? -1) > 0 && !config.discard_new_per_subject)
    faults.push('max_msgs_per_subject without discard_new_per_subject pushes out the oldest');
  if (config.max_age) faults.push('max_age is set: messages would vanish unread');
  if ((config.num_replicas ?? 1) < replicas)
    faults.push(
      `num_replicas is ${config.num_replicas}, not ${replicas}: one server that dies takes messages along`,
    );
  if (!config.subjects?.includes(allUplinks)) faults.push(`subjects lack ${allUplinks}`);
  return faults;
}

/** Somebody who gave shares was cut short: `giveShares` stops the intake in this way, and it must be run again. */
export const intakeStopped = ({ max_msgs = -1 }: Partial<StreamConfig>): boolean => max_msgs === 1;

/**
 * What a stream that was made by an earlier version lacks, in words. It is not changed from here: who reads the stream has no
 * right to change it, and a server that is given a smaller share than somebody has unread messages pushes those out.
 */
export function streamAdvice(config: Partial<StreamConfig>): string | undefined {
  const { max_msgs_per_subject: share = -1 } = config;
  const how = 'npm run nats -- share (deploy/nats/README.md) loses nothing';
  if (intakeStopped(config))
    return `stream ${UPLINK_STREAM} takes no messages: ${how}, and ends what it began`;
  if (share > 0 && share <= MOST_OF_ONE) return undefined;
  const now = share > 0 ? `${share} messages` : 'all';
  return `one gateway that floods can fill ${now} of stream ${UPLINK_STREAM}: ${how}, and makes it ${MOST_OF_ONE} messages`;
}

import {
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { UPLINK_STREAM } from '@parkline/contract';
import { intakeStopped, MOST_OF_ONE, STREAM_NOT_FOUND } from './uplink-stream.ts';

/** What became of the share of one gateway in the stream. */
export type ShareOutcome =
  /** There is no stream yet: who makes it gives shares. */
  | { readonly what: 'none' }
  /** It has them already. */
  | { readonly what: 'kept' }
  /** `share`: messages of one gateway; above the usual one while somebody has more unread ones than that. */
  | { readonly what: 'given'; readonly share: number };

/**
 * Gives a stream of an earlier version its shares, and loses nothing by it: the server pushes out what is above a new share,
 * so the intake is stopped first (`max_msgs` refuses with `discard: new`, and gateways keep what is refused), the longest row of
 * unread messages is counted, and a share that holds it is given together with the intake. A second time, with less unread,
 * it becomes smaller. What fails in between gives the intake back; cut short there, it stays stopped until this has run again.
 * @throws Error when the stream pushes out old messages where it is full: nothing is changed.
 */
export async function giveShares(nats: NatsConnection, usual = MOST_OF_ONE): Promise<ShareOutcome> {
  const { streams } = await jetstreamManager(nats);
  const config = await configOf(streams);
  if (!config) return { what: 'none' };
  const { max_msgs_per_subject: share = -1, max_msgs: most = -1 } = config;
  const isStopped = intakeStopped(config);
  if (share > 0 && share <= usual && !isStopped) return { what: 'kept' };
  if (config.discard !== DiscardPolicy.New)
    throw new Error(
      `stream ${UPLINK_STREAM} discards ${config.discard}, not new: to stop its intake would lose messages`,
    );
  const intake = { max_msgs: isStopped ? -1 : most };
  await streams.update(UPLINK_STREAM, { max_msgs: 1 });
  try {
    const wide = Math.max(usual, await longestRow(streams));
    const shared = { max_msgs_per_subject: wide, discard_new_per_subject: true };
    await streams.update(UPLINK_STREAM, { ...intake, ...shared });
    return { what: 'given', share: wide };
  } catch (error) {
    // A park without shares is better than one that takes nothing.
    await streams.update(UPLINK_STREAM, intake).catch((cause: unknown) => {
      throw new Error(`stream ${UPLINK_STREAM} takes no messages: give its shares again`, { cause });
    });
    throw error;
  }
}

type Streams = JetStreamManager['streams'];

async function configOf(streams: Streams) {
  try {
    return (await streams.info(UPLINK_STREAM)).config;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

/** Unread messages of the gateway that has most of them. */
async function longestRow(streams: Streams): Promise<number> {
  const { state } = await streams.info(UPLINK_STREAM, { subjects_filter: '>' });
  return Math.max(0, ...Object.values(state.subjects ?? {}));
}

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
 * it becomes smaller. Cut short in between, the intake stays stopped until this has run again.
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
  await streams.update(UPLINK_STREAM, { max_msgs: 1 });
  const longest = await longestRow(streams);
  const wide = Math.max(usual, longest);
  await streams.update(UPLINK_STREAM, {
    ...{ max_msgs: isStopped ? -1 : most, max_msgs_per_subject: wide, discard_new_per_subject: true },
  });
  return { what: 'given', share: wide };
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

/** NATS subjects, built here and nowhere else. `gatewayId` is a UUID, so it never holds a dot or a wildcard. */
export const subjects = {
  /** Gateway -> cloud, through JetStream: one signed envelope (samples or a point table). */
  uplink: (gatewayId: string): string => `up.${gatewayId}.b`,
  /** Gateway -> cloud, not stored: signed {@link GatewayHealth}. */
  health: (gatewayId: string): string => `up.${gatewayId}.h`,
  /** Gateway asks the cloud what it holds: request {@link ReceiptQuery}, reply signed {@link Receipt}. */
  receiptQuery: (gatewayId: string): string => `rpc.${gatewayId}.rcpt`,
  /** Cloud -> gateway: signed {@link Receipt}. */
  receipt: (gatewayId: string): string => `cmd.${gatewayId}.rcpt`,
  /** Cloud -> gateway: signed {@link Command}. */
  command: (gatewayId: string): string => `cmd.${gatewayId}.do`,
  /** Cloud -> gateway: signed {@link ConfigOffer}. */
  config: (gatewayId: string): string => `cmd.${gatewayId}.cfg`,
  /** Cloud -> gateway: signed {@link UpdateOffer}. */
  update: (gatewayId: string): string => `cmd.${gatewayId}.upd`,
  /** Gateway asks for a piece of a release: request {@link UpdateChunkQuery}, reply its bytes. */
  updateChunk: (gatewayId: string): string => `rpc.${gatewayId}.upd`,
  /** Cloud -> gateway: signed {@link GatewayAsk}. */
  ask: (gatewayId: string): string => `cmd.${gatewayId}.ask`,
  /** Gateway calls the cloud about itself: signed {@link GatewayCall}, reply signed {@link DeskAnswer}. */
  desk: (gatewayId: string): string => `rpc.${gatewayId}.gw`,
  /** Ingest -> api, inside the CORE account, not stored: {@link LiveUpdate}. */
  live: (accountId: string): string => `live.${accountId}`,
} as const;

export const allUplinks = 'up.*.b';
export const allHealth = 'up.*.h';
export const allReceiptQueries = 'rpc.*.rcpt';
export const allDeskCalls = 'rpc.*.gw';
export const allUpdateChunks = 'rpc.*.upd';
export const allLive = 'live.*';

/** Name of the JetStream stream that carries `up.*.b`, and of its durable consumer. */
export const UPLINK_STREAM = 'UP';
export const INGEST_CONSUMER = 'ingest';

/** The gateway a subject belongs to: second token of `up.<id>.…`, `rpc.<id>.…`, `cmd.<id>.…`. */
export const gatewayOfSubject = (subject: string): string => subject.split('.')[1] ?? '';

import type { Hit } from '../platform/failpoints.ts';

/** Places where the fault suite can kill ingest. */
export const failpoints = ['before-commit', 'after-commit', 'before-ack', 'after-ack'] as const;
export type HitFailpoint = Hit<(typeof failpoints)[number]>;

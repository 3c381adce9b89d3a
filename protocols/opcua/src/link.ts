import type { Reading, Status } from './value.ts';

/** A session with one server. What breaks it is mended by itself for a while; `down` tells meanwhile. */
export interface Link {
  /** Why nothing can be asked right now; undefined when it can. */
  readonly down: string | undefined;
  /** By index. */
  readonly namespaces: readonly string[];
  /** One reading for each node id, same order. */
  read(nodeIds: readonly string[]): Promise<Reading[]>;
  /** What is directly below each node, same order; the status where the server does not show a node. */
  children(nodeIds: readonly string[]): Promise<(Child[] | Status)[]>;
  /** Watches nodes until it is closed; over a mended break, too. Rejects when the server refuses the whole. */
  monitor(nodeIds: readonly string[], watch: Watch): Promise<Monitoring>;
  /** Safe when called twice. */
  close(): Promise<void>;
}

export interface Child {
  readonly namespace: number;
  /** `s=...`, `i=...` */
  readonly id: string;
  readonly nodeId: string;
  readonly isVariable: boolean;
  readonly label: string;
}

export interface Watch {
  /** A value of the node at `index`, in the order in which the server saw them. */
  readonly onReading: (index: number, reading: Reading) => void;
  /** The server will not watch the node at `index`. */
  readonly onRefused: (index: number, status: Status) => void;
  /** The server is heard of: values, or word that nothing changed. */
  readonly onSign: () => void;
  /** Messages before this one were lost on the way and are asked for again: what comes until `onWhole` may be out of order. */
  readonly onGap: () => void;
  readonly onWhole: () => void;
  /** Changes were lost for good. Unless all values are told anew, what was told last may not be what is. */
  readonly onMissed: (isToldAnew: boolean) => void;
  /** A broken link is whole again; everything that was kept for it has been told. */
  readonly onMended: () => void;
  /** It is over, and nothing more will come. */
  readonly onEnd: (why: string) => void;
}

export interface Monitoring {
  close(): Promise<void>;
}

/**
 * Opens a session.
 * @param onGone The link is broken for good; it was closed by itself.
 * @throws DriverError that says what is wrong.
 */
export type Dial = (onGone: () => void, signal: AbortSignal) => Promise<Link>;

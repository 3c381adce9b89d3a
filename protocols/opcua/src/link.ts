import type { Encoded } from './encode.ts';
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
  /** What is known of each node, same order. */
  describe(nodeIds: readonly string[]): Promise<Description[]>;
  /**
   * Sends a value once and never again, whatever becomes of the link.
   * @returns what the server says to it. Rejects when the server says nothing: then nobody knows.
   */
  write(nodeId: string, value: Encoded): Promise<Status>;
  /** A page of what the server kept of a node; more of it with `after` of the page before. */
  history(ask: HistoryAsk): Promise<HistoryPage>;
  /** Lets go of what the server holds for the page after this one. */
  forgetHistory(ask: HistoryAsk): Promise<void>;
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
  /** It says something about the node above it (HasProperty), such as its unit, and is no value of its own. */
  readonly isProperty: boolean;
  /** Its browse name, without the namespace. */
  readonly name: string;
  readonly label: string;
}

/** The attributes of a variable (OPC 10000-3 clause 5.6.2). */
export interface Description {
  /** Its value now, or the status that says why there is none. */
  readonly reading: Reading;
  /** Built-in type of its value; undefined when the server does not say. */
  readonly type: string | undefined;
  readonly isArray: boolean;
  /** AccessLevel and UserAccessLevel, bits of {@link access}; undefined when the server does not say. */
  readonly may: number | undefined;
  readonly userMay: number | undefined;
}

/** Bits of AccessLevel (OPC 10000-3 clause 8.57). */
export const access = { read: 1, write: 2, history: 4 } as const;

export interface HistoryAsk {
  readonly nodeId: string;
  /** Unix ms, included. */
  readonly from: number;
  /** Unix ms, not included. */
  readonly to: number;
  /** Values in one page. */
  readonly most: number;
  readonly after?: Buffer;
}

export interface HistoryPage {
  readonly status: Status;
  readonly readings: readonly Reading[];
  /** Where the next page begins; undefined after the last. */
  readonly after: Buffer | undefined;
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
  /** How often the server promised to say that it is there, ms: by the intervals that it chose, not those it was asked for. */
  readonly signMs: number;
  /** How long it lets a change wait for its message, ms. */
  readonly publishingMs: number;
  close(): Promise<void>;
}

/**
 * Opens a session.
 * @param onGone The link is broken for good; it was closed by itself.
 * @throws DriverError that says what is wrong.
 */
export type Dial = (onGone: () => void, signal: AbortSignal) => Promise<Link>;

import type { Quality } from '@parkline/contract';
import type { Limits } from './quality.ts';

/** One reading of one point. */
export interface Sample {
  readonly pointId: string;
  /** Unix ms when the answer was complete (or the device's own source time). */
  readonly at: number;
  /** Unix ms when the request went out: a billing read that began <= 10 s after a quarter hour stands for it. */
  readonly beganAt: number;
  /** Engineering value (raw x scale), whole counts for a register, 0/1 for a bit; null when bad. */
  readonly value: number | null;
  readonly quality: Quality;
  /** Why it is not good, for a person: 'illegal data address', 'NaN', 'above 2^53'. */
  readonly why?: string;
}

/** A configured point. `address` is the driver's own syntax: 'hr:3203:i64', 'analog-input,3', 'ns=2;s=Flow'. */
export interface PointRef {
  readonly pointId: string;
  readonly address: string;
  /** Engineering value = raw value * scale; for a register, counts = raw value * scale, rounded to a whole count. */
  readonly scale: number;
  /** Added after scaling; gauges only. */
  readonly offset?: number;
  readonly kind: 'gauge' | 'register' | 'state';
  /** What the device may say in place of a measurement; none when absent. */
  readonly limits?: Limits;
  /** Where the device keeps this point's history, in the driver's own syntax: 'trend-log,5'. Absent: nobody declared one. */
  readonly history?: string;
}

/** One value for one point. Whoever calls has checked that the point is declared writable, the range, the rate and the right. */
export interface WriteOrder {
  readonly ref: PointRef;
  /** Engineering value, as `read` would show it; null gives the point back to its next lower priority (BACnet relinquish). */
  readonly value: number | null;
  /** BACnet priority 8-16; protocols without priorities ignore it. */
  readonly priority?: number;
}

/** done: the device shows the value. overridden: it took it, and something of a higher rank is in force. differs: it shows another. */
export type WriteState = 'done' | 'overridden' | 'differs';

/** What the device says after a write: never its word alone, always a fresh read. */
export interface Written {
  readonly state: WriteState;
  /** Unix ms of the reading back. */
  readonly at: number;
  /** Engineering value read back; null when the device shows none. */
  readonly readBack: number | null;
  /** For a person: 'priority 5 is in force'. */
  readonly detail?: string;
}

/** A device that answered a search. `params` is what {@link Connection.device} takes to reach it. */
export interface FoundDevice {
  readonly params: Readonly<Record<string, unknown>>;
  /** What it calls itself, or where it is. */
  readonly label: string;
  /** Maker, model, address: for a person. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Where to search. A driver ignores what its protocol does not know. */
export interface SearchRange {
  /** Device instances (BACnet) or unit ids (Modbus), both ends included. */
  readonly from?: number;
  readonly to?: number;
}

/** Something the device itself reports: an alarm, a fault, the return to normal. */
export interface DeviceEvent {
  /** Unix ms by the device's clock where it tells one, else of the receipt. */
  readonly at: number;
  /** Object or node it is about, in the driver's address syntax. */
  readonly address: string;
  readonly state: 'alarm' | 'fault' | 'normal';
  /** In the device's own words. */
  readonly text: string;
}

export interface Found {
  readonly address: string;
  readonly label: string;
  readonly writable: boolean;
  /** What it shows at the moment, unit and type, where asking for it is cheap. For a person. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** A live link to one device. Every method but `close` may reject with DriverError and gives up when `signal` aborts. */
export interface Driver {
  connect(signal: AbortSignal): Promise<void>;
  /** Yields what the device offers as answers arrive, so a slow bus shows progress. */
  browse(signal: AbortSignal): AsyncIterable<Found>;
  /** One sample per ref, same order. A ref the device refuses comes back `bad`; it does not fail its neighbours. */
  read(refs: readonly PointRef[], signal: AbortSignal): Promise<Sample[]>;
  /**
   * Pushes what is there and every change until `signal` aborts; `beganAt` of a pushed sample is its `at`. Rejects when it will
   * push no more, with 'lost' when the device is known to be gone: the edge calls its points bad then without a further look.
   * Absent where the protocol cannot push. The edge polls `read` in any case.
   */
  subscribe?(
    refs: readonly PointRef[],
    onSample: (sample: Sample) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Writes one value and reads it back. Absent where the protocol cannot write. A value the device cannot hold exactly is
   * refused before anything is sent: nothing is ever rounded or cut on its way to a machine.
   * @throws DriverError 'refused' when the device says no, 'config' for a value or address that cannot be written, 'timeout' or
   * 'lost' when nobody knows whether it was written.
   */
  write?(order: WriteOrder, signal: AbortSignal): Promise<Written>;
  /** What the device kept of a point in [from, to) Unix ms, oldest first, in pages. Absent where the protocol keeps nothing. */
  history?(ref: PointRef, from: number, to: number, signal: AbortSignal): AsyncIterable<readonly Sample[]>;
  /** Tells what the device reports by itself until `signal` aborts; rejects like `subscribe`. Absent where there is no such thing. */
  watchEvents?(onEvent: (event: DeviceEvent) => void, signal: AbortSignal): Promise<void>;
  /** Safe before `connect` and when called twice. */
  close(): Promise<void>;
}

/** One bus, line or endpoint that several devices may share. Requests of its devices never interleave where the protocol forbids it. */
export interface Connection {
  /** The device behind `params` (Modbus: `{unit}`). @throws DriverError 'config' naming the bad field. */
  device(params: unknown): Driver;
  /** Yields devices as they answer. Absent where the protocol cannot be searched. */
  discover?(range: SearchRange, signal: AbortSignal): AsyncIterable<FoundDevice>;
  close(): Promise<void>;
}

export interface DriverDeps {
  readonly now: () => number;
  /** A folder of the gateway that is the driver's own (made by the driver when first needed): certificates, retained messages. */
  readonly dataDir: string;
  readonly log: DriverLog;
}

/** The part of pino that drivers use. */
export interface DriverLog {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

/** What a driver package exports as `driver`; the registry loads it only when a connection names its protocol. */
export interface DriverModule {
  readonly protocol: string;
  /** Opens lazily: no I/O before the first `connect` or `read`. @throws DriverError 'config' naming the bad field. */
  openConnection(params: unknown, deps: DriverDeps): Connection;
}

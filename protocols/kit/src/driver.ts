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
  readonly kind: 'gauge' | 'register' | 'state';
  /** What the device may say in place of a measurement; none when absent. */
  readonly limits?: Limits;
}

export interface Found {
  readonly address: string;
  readonly label: string;
  readonly writable: boolean;
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
  /** Safe before `connect` and when called twice. */
  close(): Promise<void>;
}

/** One bus, line or endpoint that several devices may share. Requests of its devices never interleave where the protocol forbids it. */
export interface Connection {
  /** The device behind `params` (Modbus: `{unit}`). @throws DriverError 'config' naming the bad field. */
  device(params: unknown): Driver;
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

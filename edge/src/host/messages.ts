import {
  DriverError,
  type DriverErrorCode,
  type PointRef,
  type SearchRange,
  type WriteOrder,
} from '@parkline/kit';

/** What the gateway asks of a driver in its thread. Numbers name connections and devices; the gateway gives them. */
export type Ask =
  | {
      readonly op: 'open';
      readonly connection: number;
      readonly params: unknown;
      readonly dataDir: string;
    }
  | { readonly op: 'device'; readonly connection: number; readonly device: number; readonly params: unknown }
  | { readonly op: 'connect'; readonly device: number }
  | { readonly op: 'read'; readonly device: number; readonly refs: readonly PointRef[] }
  | { readonly op: 'write'; readonly device: number; readonly order: WriteOrder }
  | { readonly op: 'subscribe'; readonly device: number; readonly refs: readonly PointRef[] }
  | { readonly op: 'watch'; readonly device: number }
  | { readonly op: 'browse'; readonly device: number }
  | {
      readonly op: 'history';
      readonly device: number;
      readonly ref: PointRef;
      readonly from: number;
      readonly to: number;
    }
  | { readonly op: 'discover'; readonly connection: number; readonly range: SearchRange }
  | { readonly op: 'close-device'; readonly device: number }
  | { readonly op: 'close-connection'; readonly connection: number };

/** Gateway -> driver. next: one more item of a stream, please. */
export type Down =
  | { readonly type: 'ask'; readonly id: number; readonly ask: Ask }
  | { readonly type: 'next'; readonly id: number }
  | { readonly type: 'abort'; readonly id: number };

/** Driver -> gateway. up: it is loaded. items: of a stream one, of a subscription those since the last message. */
export type Up =
  | { readonly type: 'up' }
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'items'; readonly id: number; readonly items: readonly unknown[] }
  | {
      readonly type: 'log';
      readonly connection: number;
      readonly level: LogLevel;
      readonly facts: object;
      readonly message: string;
    };

export type LogLevel = 'debug' | 'info' | 'warn';

/** Answer to 'device': what the driver can do beyond reading. */
export interface Abilities {
  readonly subscribe: boolean;
  readonly write: boolean;
  readonly history: boolean;
  readonly watchEvents: boolean;
}

/** What a thread is started with. */
export interface WorkerStart {
  /** Module with an export `driver`. */
  readonly url: string;
  readonly protocol: string;
  /** One counter that grows while the driver's event loop turns. */
  readonly pulse: Int32Array;
}

/** The driver's thread moves its pulse this often, ms. */
export const PULSE_MS = 250;

/** An error without its class, which no message carries. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: DriverErrorCode | undefined;
  readonly where: string;
}

export function plainOf(error: unknown): PlainError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, code: undefined, where: '' };
  const { name, message, stack } = error;
  const isKnown = error instanceof DriverError;
  return { name, message, stack, code: isKnown ? error.code : undefined, where: isKnown ? error.where : '' };
}

/** The error as the driver threw it: a DriverError is one again. */
export function restored({ name, message, stack, code, where }: PlainError): Error {
  const error = code === undefined ? new Error(message) : new DriverError(code, message, where);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}

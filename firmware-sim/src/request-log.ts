import { closeSync, openSync, writeSync } from 'node:fs';

/** One request and what was done about it. */
export interface LogEntry {
  /** Unix ms at which the request arrived; the values are those of that instant. */
  readonly t: number;
  readonly bus: string;
  readonly unit: number;
  readonly fc: number;
  readonly addr: number;
  readonly count: number;
  /** By point key, of the points wholly inside the range: value as the device shows it, counts for registers. */
  readonly values: Readonly<Record<string, number | null>>;
  /** 'ok', 'exception 2', 'silence', 'late', 'delay', 'garbage', 'wrong-unit' or 'close'. */
  readonly outcome: string;
}

/** What a device of any other protocol told, asked or of its own accord. */
export interface DeviceEntry {
  /** Unix ms of the values. */
  readonly t: number;
  readonly bus: string;
  /** Key of the device in the park. */
  readonly device: string;
  /** 'read' when asked, 'write' when told what to show; 'notify' (COV, monitored item) or 'publish' (MQTT) when not. */
  readonly op: 'read' | 'write' | 'notify' | 'publish';
  readonly values: Readonly<Record<string, number | null>>;
  /** 'ok', or the fault that struck: 'silence', 'delay', 'refuse', ... */
  readonly outcome: string;
}

export interface RequestLog {
  write(entry: LogEntry | DeviceEntry): void;
  close(): void;
}

/** Appends JSON lines. Written through before the reply leaves, so whoever holds an answer finds it in the log. */
export function createRequestLog(path: string): RequestLog {
  const file = openSync(path, 'a');
  return {
    write: (entry) => void writeSync(file, `${JSON.stringify(entry)}\n`),
    close: () => closeSync(file),
  };
}

export const noLog: RequestLog = { write: () => undefined, close: () => undefined };

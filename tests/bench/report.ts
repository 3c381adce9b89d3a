import { arch, cpus, release, totalmem } from 'node:os';

/** One side of a comparison. */
export interface Side {
  /** Speed of the median run. */
  readonly median: number;
  readonly unit: string;
  /** CPU time of all processes involved, per item. */
  readonly cpu_us_per_item: number;
}

/** What a benchmark prints. `ratio` compares the two sides of the same run; figures of different machines do not compare. */
export interface BenchResult {
  readonly bench: string;
  readonly ratio: number;
  readonly better: 'higher' | 'lower';
  /** (greatest - least) / median of the ratios of the runs. */
  readonly spread: number;
  readonly runs: number;
  readonly ours: Side;
  readonly raw: Side;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly notes: string;
  readonly [extra: string]: unknown;
}

/** What may be said on the command line; each benchmark takes what concerns it. */
export interface BenchOptions {
  /** How long to watch. */
  readonly minutes?: number;
}

/** A benchmark: measures both sides alternately and prints nothing itself. */
export interface Bench {
  run(progress: (text: string) => void, options?: BenchOptions): Promise<BenchResult>;
}

/** The other side of the comparison cannot be had on this machine. */
export class MissingPeer extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MissingPeer';
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const spread = (values: readonly number[]): number =>
  (Math.max(...values) - Math.min(...values)) / median(values);

export const round = (value: number, digits = 3): number => Number(value.toPrecision(digits));

export const machine = (): string =>
  `${cpus().length} x ${cpus()[0]?.model.trim() ?? arch()}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux ${release()}`;

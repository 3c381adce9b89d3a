import { createReadStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import Papa from 'papaparse';

/** What is wrong with a row; row 1 is the header, as a spreadsheet counts. */
export interface RowFault {
  readonly row: number;
  readonly field: string;
  readonly reason: string;
}

/** Faults are counted without end and kept up to here: the rest say the same. */
const MAX_FAULTS = 1_000;

/** Collects what is wrong with a file. */
export function createFaults() {
  const kept: RowFault[] = [];
  let count = 0;
  return {
    add(row: number, field: string, reason: string): void {
      count += 1;
      if (kept.length < MAX_FAULTS) kept.push({ row, field, reason });
    },
    get count() {
      return count;
    },
    /** Those kept, in the order of the file whichever check found them. */
    sorted: (): readonly RowFault[] => kept.toSorted((a, b) => a.row - b.row),
  };
}
export type Faults = ReturnType<typeof createFaults>;

/** The file cannot be read at all: missing, not a file, a broken gzip. */
export class UnreadableFile extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnreadableFile';
  }
}

/**
 * Streams a csv file, plain or gzip, to `onRow` with its row number; cells are as written. Returns the SHA-256 (hex) of the
 * file's bytes. @throws UnreadableFile
 */
export async function readCsv(
  path: string,
  onRow: (cells: readonly string[], row: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  const text = new PassThrough();
  const source = createReadStream(path).on('data', (chunk) => hash.update(chunk));
  const feeding = path.endsWith('.gz') ? pipeline(source, createGunzip(), text) : pipeline(source, text);
  try {
    await Promise.all([feeding, parse(text.setEncoding('utf8'), onRow)]);
  } catch (cause) {
    throw new UnreadableFile(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return hash.digest('hex');
}

/** Empty rows are kept in the count, so that a row's number is its line in an editor. */
function parse(text: Readable, onRow: (cells: readonly string[], row: number) => void): Promise<void> {
  let row = 0;
  return new Promise((resolve, reject) => {
    Papa.parse<string[]>(text as unknown as Papa.LocalFile, {
      beforeFirstChunk: (start) => start.replace(/^\ufeff/, ''), // Before the quotes are read: the mark may stand outside them.
      chunk({ data }) {
        for (const cells of data) {
          row += 1;
          if (cells.length > 1 || cells[0] !== '') onRow(cells, row);
        }
      },
      complete: () => resolve(),
      error: reject,
    });
    text.once('error', reject);
  });
}

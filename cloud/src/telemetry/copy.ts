import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Rows } from './sample.ts';

/** PostgreSQL counts microseconds from here. */
const PG_EPOCH_MS = Date.UTC(2000, 0, 1);
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** Field count and five fields, each behind its length: 2 + (4+4) + (4+8) + (4+8) + (4+2) + (4+2). */
const ROW_BYTES = 46;
const TRAILER_BYTES = 2;

/** Rows in PostgreSQL's binary COPY format, in the order of `copyColumns`. */
export function encodeCopy(blocks: readonly Rows[]): Buffer {
  const count = blocks.reduce((sum, { length }) => sum + length, 0);
  const bytes = Buffer.allocUnsafe(HEADER.length + count * ROW_BYTES + TRAILER_BYTES);
  let at = HEADER.copy(bytes);
  for (const rows of blocks) for (let i = 0; i < rows.length; i += 1) at = writeRow(bytes, at, rows, i);
  at = bytes.writeInt16BE(-1, at);
  return bytes.subarray(0, at);
}

function writeRow(bytes: Buffer, start: number, rows: Rows, i: number): number {
  const micros = (rows.at[i]! - PG_EPOCH_MS) * 1_000;
  const high = Math.floor(micros / 2 ** 32);
  let at = bytes.writeInt16BE(5, start);
  at = bytes.writeInt32BE(4, at);
  at = bytes.writeInt32BE(rows.num[i]!, at);
  at = bytes.writeInt32BE(8, at);
  at = bytes.writeInt32BE(high, at);
  at = bytes.writeUInt32BE(micros - high * 2 ** 32, at);
  at = writeValue(bytes, at, rows.value[i]!);
  at = bytes.writeInt32BE(2, at);
  at = bytes.writeInt16BE(rows.quality[i]!, at);
  at = bytes.writeInt32BE(2, at);
  return bytes.writeInt16BE(rows.flags[i]!, at);
}

function writeValue(bytes: Buffer, at: number, value: number): number {
  if (Number.isNaN(value)) return bytes.writeInt32BE(-1, at);
  return bytes.writeDoubleBE(value, bytes.writeInt32BE(8, at));
}

/** The columns `encodeCopy` writes, in its order. */
export const copyColumns = 'point_num, ts, value, quality, flags';

/** Copies into `table` (a name of ours, never input) inside the client's transaction. @throws 23505 when a row is there already. */
export async function copyRows(client: ClientBase, table: string, blocks: readonly Rows[]): Promise<void> {
  const stream = client.query(copyFrom(`copy ${table} (${copyColumns}) from stdin (format binary)`));
  await pipeline(Readable.from([encodeCopy(blocks)]), stream);
}

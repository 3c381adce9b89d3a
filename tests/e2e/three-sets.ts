import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { zstdDecompressSync } from 'node:zlib';
import { decodeEnvelope, type PointTable, type SampleBatch } from '@parkline/contract';
import { query } from '../../deploy/local/postgres.ts';
import { type Park, parsePark, type Protocol, protocolOf } from '../../firmware-sim/src/park.ts';
import type { DeviceEntry, LogEntry } from '../../firmware-sim/src/request-log.ts';
import type { RunningPark } from '../support/park.ts';
import type { Entry } from './laws.ts';

/** A point as the tests name it: `<meter or equipment>/<point key>`. */
export interface TestPoint {
  readonly name: string;
  readonly id: string;
  readonly gateway: string;
  readonly kind: 'gauge' | 'register' | 'state';
  readonly resolution: number;
  readonly heartbeatMs: number;
  readonly pollMs: number;
}

/** The points of a running park, by id. */
export async function readPoints({ run }: RunningPark): Promise<ReadonlyMap<string, TestPoint>> {
  const rows = await query<TestPoint>(
    run.database,
    `select p.id, e.key || '/' || p.key as name, g.key as gateway, p.kind, p.resolution,
            p.heartbeat_ms as "heartbeatMs", p.poll_ms as "pollMs"
       from point p join equipment e on e.id = p.equipment_id join gateway g on g.id = e.gateway_id`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** What the simulator says it served or told, from its own log. Answers that were no answer (silence, garbage) are left out. */
export function readServed({ home }: RunningPark, parkFile: string): Entry[] {
  const meterAt = new Map(parkOf(parkFile).meters.map(({ key, bus, unit }) => [`${bus}/${unit}`, key]));
  const lines = readFileSync(join(home, 'simulator/served.jsonl'), 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const entry = JSON.parse(line) as LogEntry | DeviceEntry;
    if (entry.outcome !== 'ok') return [];
    const device = 'device' in entry ? entry.device : meterAt.get(`${entry.bus}/${entry.unit}`);
    return Object.entries(entry.values).map(([key, value]) => ({
      point: `${device}/${key}`,
      at: entry.t,
      value,
    }));
  });
}

/** Entries by the protocol that their device speaks. */
export function byProtocol(entries: readonly Entry[], parkFile: string): Record<Protocol, Entry[]> {
  const { buses, meters, equipment } = parkOf(parkFile);
  const protocolAt = new Map(buses.map((bus) => [bus.key, protocolOf(bus)]));
  const protocols = new Map([...meters, ...equipment].map(({ key, bus }) => [key, protocolAt.get(bus)!]));
  const split: Record<Protocol, Entry[]> = {
    modbus: [],
    bacnet: [],
    opcua: [],
    mqtt: [],
    dlt645: [],
    cjt188: [],
  };
  for (const entry of entries) split[protocols.get(entry.point.split('/')[0]!)!].push(entry);
  return split;
}

const parkOf = (file: string): Park => parsePark(readFileSync(file, 'utf8'), file);

/** What the gateways accepted: every message of their outbox files, kept there for the keep time. */
export function readAccepted({ run }: RunningPark, points: ReadonlyMap<string, TestPoint>): Entry[] {
  return run.gateways.flatMap(({ home }) => readOutbox(join(home, 'outbox.sqlite'), points));
}

function readOutbox(file: string, points: ReadonlyMap<string, TestPoint>): Entry[] {
  if (!existsSync(file)) return [];
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare('SELECT envelope FROM message ORDER BY seq').all() as { envelope: Uint8Array }[];
  db.close();
  const tables = new Map<string, PointTable>();
  return rows.flatMap(({ envelope: bytes }) => {
    const decoded = decodeEnvelope(bytes);
    if (!decoded.ok) throw new Error(`a message in ${file} is no envelope: ${decoded.why}`);
    const { header, payload } = decoded.envelope;
    const json = zstdDecompressSync(payload);
    if (header.kind === 'points') {
      tables.set(createHash('sha256').update(json).digest('hex'), JSON.parse(json.toString()) as PointTable);
      return [];
    }
    return samplesOf(JSON.parse(json.toString()) as SampleBatch, tables, points);
  });
}

function samplesOf(
  { table, t0, p, dt, v }: SampleBatch,
  tables: ReadonlyMap<string, PointTable>,
  points: ReadonlyMap<string, TestPoint>,
): Entry[] {
  const known = tables.get(table)?.points;
  if (!known) throw new Error(`a batch names a point table that was not written before it: ${table}`);
  return p.map((index, at) => ({
    point: points.get(known[index]!.id)!.name,
    at: t0 + dt[at]!,
    value: v[at]!,
  }));
}

/** What the database holds that came through a gateway: counts for registers, as on the wire. */
export async function readStored(
  { run }: RunningPark,
  points: ReadonlyMap<string, TestPoint>,
): Promise<Entry[]> {
  const rows = await query<{ id: string; at: string; value: number | null }>(
    run.database,
    `select p.id, (extract(epoch from r.ts) * 1000)::bigint as at, r.value
       from reading r join point p on p.num = r.point_num where r.flags & 8 = 0 and r.flags & 4 = 0`,
  );
  return rows.map(({ id, at, value }) => ({ point: points.get(id)!.name, at: Number(at), value }));
}

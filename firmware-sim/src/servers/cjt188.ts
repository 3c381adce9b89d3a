import { type Cjt188Table, showRow } from '../tables/cjt188-table.ts';
import type { BusServer, BusServerDeps, ServedDevice } from './bus-server.ts';
import { createTelegramLine, type Served } from './telegram-line.ts';

export interface Cjt188ServerDeps extends BusServerDeps<Cjt188Table> {
  readonly latencyMs?: number;
}

/** A valve that takes its time. */
interface Valve {
  wanted: 0 | 1;
  /** Unix ms of the last order. */
  since: number;
}

interface Meter extends ServedDevice<Cjt188Table> {
  /** 14 digits as printed. */
  readonly number: string;
  readonly valve: Valve;
}

/** A line of CJ/T 188 meters. Identifiers are taken in either byte order and given back as they came. */
export function createCjt188Server(deps: Cjt188ServerDeps): BusServer {
  const meters = deps.devices.map((device): Meter => ({
    ...device,
    number: numberOf(device),
    valve: { wanted: 0, since: 0 },
  }));
  return createTelegramLine({
    ...{ bus: deps.bus, faults: deps.faults, log: deps.log, now: deps.now },
    ...(deps.latencyMs !== undefined && { latencyMs: deps.latencyMs }),
    cut: cutTelegram,
    serve: (telegram, t) => serve(meters, telegram, t),
  });
}

/** @throws Error when the park file gives no number of 14 digits. */
function numberOf({ key, address }: ServedDevice<Cjt188Table>): string {
  const number = (address as { address?: unknown } | null)?.address;
  if (typeof number !== 'string' || !/^\d{14}$/.test(number))
    throw new Error(`${key}: address.address is ${String(number)}, not 14 digits`);
  return number;
}

const sum = (bytes: Buffer): number => bytes.reduce((total, byte) => total + byte, 0) % 256;
const hex = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('');

/** 68 T A0..A6 C L DATA CS 16 */
export function cutTelegram(heard: Buffer): { telegram?: Buffer; rest: Buffer } {
  for (let from = heard.indexOf(0x68); from >= 0; from = heard.indexOf(0x68, from + 1)) {
    if (heard.length < from + 11) return { rest: heard.subarray(from) };
    const length = 13 + heard[from + 10]!;
    if (heard.length < from + length) return { rest: heard.subarray(from) };
    const telegram = heard.subarray(from, from + length);
    if (telegram[length - 1] === 0x16 && telegram[length - 2] === sum(telegram.subarray(0, length - 2)))
      return { telegram, rest: heard.subarray(from + length) };
  }
  return { rest: Buffer.alloc(0) };
}

function makeTelegram(type: string, number: string, control: number, data: readonly number[]): Buffer {
  const address = [...Buffer.from(number, 'hex')].reverse();
  const body = Buffer.from([0x68, Number.parseInt(type, 16), ...address, control, data.length, ...data]);
  return Buffer.from([0xfe, 0xfe, 0xfe, ...body, sum(body), 0x16]);
}

function serve(meters: readonly Meter[], telegram: Buffer, t: number): Served | undefined {
  const type = hex([telegram[1]!]);
  const number = hex([...telegram.subarray(2, 9)].reverse());
  const [meter, ...others] = meters.filter(
    (each) =>
      (type === 'AA' || type === each.table.type) && (number === 'AAAAAAAAAAAAAA' || number === each.number),
  );
  if (!meter || others.length > 0) return undefined; // Several who speak at once are nobody's answer.
  const control = telegram[9]!;
  const head = [...telegram.subarray(11, 14)];
  const order = telegram[14];
  const said = answer(meter, control, head, order, t);
  const refusal = [head[2] ?? 0, ...statusOf(meter, t)];
  const text = (by: string): Buffer =>
    said
      ? makeTelegram(meter.table.type, by, control | 0x80, [...head, ...said.data])
      : makeTelegram(meter.table.type, by, control | 0xc0, refusal);
  return {
    device: meter.key,
    values: said?.values ?? {},
    outcome: said ? 'ok' : 'refuse',
    reply: text(meter.number),
    refusal: makeTelegram(meter.table.type, meter.number, control | 0xc0, refusal),
    disguised: (other) => text(String(other).padStart(14, '0')),
  };
}

interface Said {
  readonly data: readonly number[];
  readonly values: Record<string, number>;
}

/** undefined: it does not know what is asked. */
function answer(
  meter: Meter,
  control: number,
  head: readonly number[],
  order: number | undefined,
  t: number,
): Said | undefined {
  const id = [hex([head[0]!, head[1]!]), hex([head[1]!, head[0]!])];
  if (control === 0x03 && id.includes('810A')) return { data: [], values: {} };
  if (control === 0x01 && id.includes('901F')) return metering(meter, t);
  if (control === 0x04 && id.includes('A017') && meter.table.valveMs !== undefined) {
    if (order !== 0x55 && order !== 0x99) return undefined;
    Object.assign(meter.valve, { wanted: order === 0x55 ? 0 : 1, since: t });
    return { data: statusOf(meter, t), values: {} };
  }
  return undefined;
}

function metering(meter: Meter, t: number): Said {
  const { table, quantities } = meter;
  const rows = table.metering.map((row) => ({ row, shown: showRow(row, quantities, t) }));
  const values = Object.fromEntries([
    ...rows.map(({ row, shown }) => [row.quantity, shown.value] as const),
    ...table.status.map((row) => [row.quantity, row.constant ?? valveOf(meter, t)] as const),
  ]);
  const data = [...Buffer.concat(rows.map(({ shown }) => shown.bytes)), ...clockOf(t), ...statusOf(meter, t)];
  return { data, values };
}

/** ST, low byte first. */
function statusOf(meter: Meter, t: number): number[] {
  const word = meter.table.status.reduce(
    (bits, row) => bits | ((row.constant ?? valveOf(meter, t)) << row.bit),
    0,
  );
  return [word & 0xff, word >> 8];
}

/** 0 open, 1 closed: what the last order made of it, once it had the time. */
function valveOf({ valve, table }: Meter, t: number): number {
  if (valve.since === 0) return 0;
  return t - valve.since >= (table.valveMs ?? 0) ? valve.wanted : 1 - valve.wanted;
}

/** ss mm hh DD MM YY YY, packed digits, in UTC. */
function clockOf(t: number): number[] {
  const digits = new Date(t).toISOString().replace(/\D/g, '').slice(0, 14);
  return [...Buffer.from(digits, 'hex')].reverse();
}

import { type Dlt645Table, showItem } from '../tables/dlt645-table.ts';
import type { BusServer, BusServerDeps, ServedDevice } from './bus-server.ts';
import { createTelegramLine, type Served } from './telegram-line.ts';

/** ERR of DL/T 645-2007: bit 0 another error, bit 1 no such data. */
const NO_SUCH_DATA = 0x02;
const OTHER_ERROR = 0x01;
/** Items of annex A, table A.5, that hold the meter's own address and number. */
const OWN_NUMBER = ['04 00 04 01', '04 00 04 02'];

export interface Dlt645ServerDeps extends BusServerDeps<Dlt645Table> {
  readonly latencyMs?: number;
}

/** A line of DL/T 645-2007 meters. They read; nothing can be written to them. */
export function createDlt645Server(deps: Dlt645ServerDeps): BusServer {
  const meters = new Map(deps.devices.map((device) => [numberOf(device), device]));
  return createTelegramLine({
    ...{ bus: deps.bus, faults: deps.faults, log: deps.log, now: deps.now },
    ...(deps.latencyMs !== undefined && { latencyMs: deps.latencyMs }),
    cut: cutTelegram,
    serve: (telegram, t) => serve(meters, telegram, t),
  });
}

/** @throws Error when the park file gives no number of 12 digits. */
function numberOf({ key, address }: ServedDevice<Dlt645Table>): string {
  const number = (address as { address?: unknown } | null)?.address;
  if (typeof number !== 'string' || !/^\d{12}$/.test(number))
    throw new Error(`${key}: address.address is ${String(number)}, not 12 digits`);
  return number;
}

const sum = (bytes: Buffer): number => bytes.reduce((total, byte) => total + byte, 0) % 256;

/** 68 A0..A5 68 C L DATA CS 16 */
export function cutTelegram(heard: Buffer): { telegram?: Buffer; rest: Buffer } {
  for (let from = heard.indexOf(0x68); from >= 0; from = heard.indexOf(0x68, from + 1)) {
    if (heard.length < from + 10) return { rest: heard.subarray(from) };
    const length = 12 + heard[from + 9]!;
    if (heard[from + 7] !== 0x68) continue;
    if (heard.length < from + length) return { rest: heard.subarray(from) };
    const telegram = heard.subarray(from, from + length);
    if (telegram[length - 1] === 0x16 && telegram[length - 2] === sum(telegram.subarray(0, length - 2)))
      return { telegram, rest: heard.subarray(from + length) };
  }
  return { rest: Buffer.alloc(0) };
}

function makeTelegram(number: string, control: number, data: readonly number[]): Buffer {
  const address = number
    .match(/../g)!
    .reverse()
    .map((pair) => Number.parseInt(pair, 16));
  const body = Buffer.from([
    0x68,
    ...address,
    0x68,
    control,
    data.length,
    ...data.map((byte) => (byte + 0x33) % 256),
  ]);
  return Buffer.from([0xfe, 0xfe, ...body, sum(body), 0x16]); // Meters send fewer wake-up bytes than masters, or none.
}

type Meters = ReadonlyMap<string, ServedDevice<Dlt645Table>>;

function serve(meters: Meters, telegram: Buffer, t: number): Served | undefined {
  const asked = [...telegram.subarray(1, 7)].reverse().map((byte) => byte.toString(16).padStart(2, '0'));
  const number = asked.join('').toUpperCase();
  const isAnyone = number === 'AAAAAAAAAAAA';
  const [found, ...others] = isAnyone ? [...meters] : [[number, meters.get(number)] as const];
  if (!found?.[1] || others.length > 0) return undefined; // Several who speak at once are nobody's answer.
  const [own, meter] = [found[0], found[1]];
  const control = telegram[8]!;
  const data = [...telegram.subarray(10, -2)].map((byte) => (byte - 0x33 + 256) % 256);
  const say = (by: string): Omit<Said, 'device'> => {
    if (control === 0x13) return { control: 0x93, data: bytesOf(by), values: {} };
    if (control === 0x11 || control === 0x12) return read(meter, by, control, data, t);
    return { control: 0xc0 | control, data: [OTHER_ERROR], values: {} };
  };
  const said = say(own);
  const text = (by: string): Buffer =>
    makeTelegram(by, said.control, control === 0x13 ? bytesOf(by) : said.data);
  return {
    device: meter.key,
    values: said.values,
    outcome: (said.control & 0x40) !== 0 ? 'refuse' : 'ok',
    reply: text(own),
    refusal: makeTelegram(own, 0xc0 | control, [NO_SUCH_DATA]),
    disguised: (other) => text(String(other).padStart(12, '0')),
    ...(Object.keys(said.values).length === 1 && { quantity: Object.keys(said.values)[0]! }),
  };
}

interface Said {
  readonly control: number;
  readonly data: readonly number[];
  readonly values: Record<string, number>;
}

const bytesOf = (number: string): number[] =>
  number
    .match(/../g)!
    .reverse()
    .map((pair) => Number.parseInt(pair, 16));

function read(
  { table, quantities }: ServedDevice<Dlt645Table>,
  own: string,
  control: number,
  data: readonly number[],
  t: number,
): Said {
  const di = data
    .slice(0, 4)
    .reverse()
    .map((byte) => byte.toString(16).padStart(2, '0').toUpperCase())
    .join(' ');
  if (OWN_NUMBER.includes(di))
    return { control: 0x91, data: [...data.slice(0, 4), ...bytesOf(own)], values: {} };
  const parts = table.made.get(di)?.map((item) => ({ item, shown: showItem(item, quantities, t) }));
  if (!parts) return { control: control | 0xc0, data: [NO_SUCH_DATA], values: {} };
  const values = Object.fromEntries(parts.map(({ item, shown }) => [item.quantity, shown.value]));
  const all = Buffer.concat(parts.map(({ shown }) => shown.bytes));
  const sequence = control === 0x12 ? (data[4] ?? 0) : 0;
  const from = sequence * table.longestAnswer;
  if (from >= all.length) return { control: control | 0xc0, data: [NO_SUCH_DATA], values: {} };
  const piece = all.subarray(from, from + table.longestAnswer);
  const more = from + piece.length < all.length ? 0x20 : 0;
  const tail = control === 0x12 ? [sequence] : [];
  return { control: control | 0x80 | more, data: [...data.slice(0, 4), ...piece, ...tail], values };
}

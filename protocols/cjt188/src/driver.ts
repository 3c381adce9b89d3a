import {
  type Driver,
  DriverError,
  type Found,
  type PointRef,
  rawOf,
  type WriteOrder,
  type Written,
} from '@parkline/kit';
import { badSample, type MeterLine, sampleOf } from '@parkline/kit/meters';
import { type Address, METERING, parseAddress } from './address.ts';
import { decodeField, fieldNames, unitOf } from './layout.ts';
import { createMeter, type MeterPlace, pause } from './meter.ts';

export interface Cjt188DriverDeps {
  readonly line: MeterLine;
  readonly place: MeterPlace;
  /** Longest time a valve may take from one end to the other, ms. */
  readonly valveMs: number;
  readonly now: () => number;
}

/** ST as the standard has it: 0 open, 1 closed, 3 faulty. */
const orders: Readonly<Record<number, 'open' | 'close'>> = { 0: 'open', 1: 'close' };
const VALVE_LOOK_MS = 1_000;

/** One water, heat, cold or gas meter on a line it shares with others. Its valve may be written, nothing else. */
export function createCjt188Driver({ line, place, valveMs, now }: Cjt188DriverDeps): Driver {
  const { type } = place;
  const where = `meter ${type} ${place.address}`;
  const meter = createMeter(line, place);
  let isClosed = false;

  function check(signal: AbortSignal): void {
    if (isClosed) throw new DriverError('lost', 'the device was closed', where);
    if (signal.aborted) throw new DriverError('aborted', 'given up', where);
  }

  async function valve(signal: AbortSignal): Promise<number | null> {
    const reply = await meter.read(signal);
    const raw = 'payload' in reply ? decodeField(reply.payload, type, 'valve') : undefined;
    return raw?.ok ? raw.value : null;
  }

  async function write({ ref, value }: WriteOrder, signal: AbortSignal): Promise<Written> {
    check(signal);
    const order = orderOf(ref, value, type, where);
    await meter.move(order, signal);
    const wanted = order === 'open' ? 0 : 1;
    const until = performance.now() + valveMs; // However the clock is set.
    for (;;) {
      const seen = await valve(signal);
      if (seen === wanted || performance.now() >= until) return writtenOf(ref, seen, wanted, now());
      await pause(Math.min(VALVE_LOOK_MS, valveMs / 40), signal, where);
    }
  }

  return {
    write,
    async connect(signal) {
      isClosed = false;
      await line.open(signal);
    },
    async *browse(signal) {
      const reply = await meter.read(signal);
      if ('refused' in reply) return;
      for (const name of fieldNames(type) ?? []) yield foundOf(name, reply.payload, type);
    },
    async read(refs, signal) {
      check(signal);
      const times = { at: now(), beganAt: now() };
      const asked = refs.map((ref) => tryParse(ref.address, type));
      // One telegram tells all there is.
      const isAny = asked.some((address) => !(address instanceof DriverError));
      const reply = isAny ? await meter.read(signal) : undefined;
      return refs.map((ref, i) => {
        const address = asked[i]!;
        if (address instanceof DriverError) return badSample(ref, address.message, times);
        if (!reply || 'refused' in reply) return badSample(ref, reply?.refused ?? 'not read', reply ?? times);
        return sampleOf(ref, decodeField(reply.payload, type, address.field), reply);
      });
    },
    close() {
      isClosed = true;
      line.drop(`${type} ${place.address}`);
      return Promise.resolve();
    },
  };
}

/** @throws DriverError 'config' for another point than the valve and another value than open and closed. */
function orderOf(ref: PointRef, value: number | null, type: string, where: string): 'open' | 'close' {
  if (parseAddress(ref.address, type).field !== 'valve')
    throw new DriverError('config', `${ref.address} cannot be written: only ${METERING}:valve can`, where);
  if (value === null) throw new DriverError('config', 'a valve cannot be given back: write 0 or 1', where);
  const order = orders[rawOf(value, ref)];
  if (!order) throw new DriverError('config', `a valve takes 0 (open) or 1 (closed), not ${value}`, where);
  return order;
}

function writtenOf(ref: PointRef, seen: number | null, wanted: number, at: number): Written {
  const readBack = seen === null ? null : seen * ref.scale + (ref.offset ?? 0);
  if (seen === wanted) return { state: 'done', at, readBack };
  const detail = seen === 3 ? 'the valve reports a fault' : 'the valve did not get there in time';
  return { state: 'differs', at, readBack, detail };
}

/** A wrong address concerns its point alone; it comes back bad with the reason, and its neighbours are read. */
function tryParse(text: string, type: string): Address | DriverError {
  try {
    return parseAddress(text, type);
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

function foundOf(name: string, payload: Uint8Array, type: string): Found {
  const raw = decodeField(payload, type, name);
  return {
    address: `${METERING}:${name}`,
    label: name.replaceAll('_', ' '),
    writable: name === 'valve',
    facts: { value: raw.ok ? String(raw.value) : raw.why, unit: unitOf(name) },
  };
}

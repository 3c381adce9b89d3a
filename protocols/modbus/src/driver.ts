import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import { type Address, type Order, parseAddress } from './address.ts';
import { browseUnit } from './browse.ts';
import type { Bus, Errand, Reply } from './bus.ts';
import { decodePoint } from './codec.ts';
import { isRangeRefusal, refusalOf } from './exceptions.ts';
import { type Block, planBlocks, type Range, splitBlock } from './plan.ts';
import { createReach } from './reach.ts';
import { readOf, type Request } from './requests.ts';
import { writePoint } from './write.ts';

export interface ModbusDriverDeps {
  readonly bus: Bus;
  readonly unit: number;
  /** Names the connection in errors. */
  readonly where: string;
  readonly gapRegisters: number;
  readonly maxRegisters: number;
  /** Order of numbers whose address names none. */
  readonly order: Order;
  /** Texts the device keeps in registers, by what they are: `{serial: 'hr:100:str:8'}`. */
  readonly texts: Readonly<Record<string, string>>;
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Reads and writes one unit on a bus it shares with other units. The bus serialises requests; this adds meaning. */
export function createModbusDriver(deps: ModbusDriverDeps): Driver {
  const { unit } = deps;
  const bus: Pick<Bus, 'ask'> = { ask };
  const reach = createReach(deps.maxRegisters, () => performance.now());
  const known = new Map<string, Address | DriverError>();
  const refused: Range[] = []; // Learned from this device, so that each refusal is met once.
  let planned: Plan | undefined;
  let isClosed = false;

  function addressOf(text: string): Address | DriverError {
    const found = known.get(text) ?? tryParse(text, deps.order);
    known.set(text, found);
    return found;
  }

  function remember(range: Range): void {
    const { fc, start, count } = range;
    const isKnown = refused.some((old) => old.fc === fc && old.start === start && old.count === count);
    if (!isKnown) refused.push(range);
    planned = undefined;
  }

  /** A device that gives what it refused was not ready then: what it refused is found out anew. */
  function relearn({ fc, start, count }: Block): void {
    if (!refused.some((old) => old.fc === fc && old.start === start && old.count === count)) return;
    refused.length = 0;
    planned = undefined;
  }

  /** Every step of what the device was asked before it was closed ends there. */
  function ask(request: Request, signal: AbortSignal, errand?: Errand): Promise<Reply> {
    return isClosed ? Promise.reject(closed()) : deps.bus.ask(request, signal, errand);
  }

  async function askBlock({ fc, start, count, points }: Block, signal: AbortSignal): Promise<Reply> {
    const isResting = deps.bus.isResting(unit);
    const isOfRegisters = fc > 2;
    try {
      const reply = await ask(readOf({ unit, fc, start, count }), signal);
      if (isOfRegisters) reach.answered(count);
      return reply;
    } catch (error) {
      const isSilent = error instanceof DriverError && error.code === 'timeout' && !isResting;
      if (isSilent && isOfRegisters) reach.silent(count, points.length > 1);
      throw error;
    }
  }

  /** A gateway polls the same points again and again: what it asked last is planned already. */
  function planFor(refs: readonly PointRef[]): Plan {
    const maxRegisters = reach.most();
    if (planned?.maxRegisters === maxRegisters && isSame(planned.refs, refs)) return planned;
    const wrong: Plan['wrong'][number][] = [];
    const points: Readable[] = [];
    refs.forEach((ref, index) => {
      const address = addressOf(ref.address);
      if (address instanceof DriverError) wrong.push({ index, why: address.message });
      else points.push({ ref, address, index });
    });
    const { gapRegisters } = deps;
    const addresses = points.map(({ address }) => address);
    const blocks = planBlocks(addresses, { gapRegisters, maxRegisters, refused });
    planned = { refs: [...refs], maxRegisters, wrong, points, blocks };
    return planned;
  }

  /** Reads a block; where the device refuses the range, its parts. Puts one sample in its place for each of its points. */
  async function readBlock(
    block: Block,
    points: readonly Readable[],
    into: Sample[],
    signal: AbortSignal,
  ): Promise<void> {
    const { fc, start, count } = block;
    const reply = await askBlock(block, signal);
    if (reply.kind === 'data') {
      relearn(block);
      for (const at of block.points)
        into[points[at]!.index] = sampleOf(points[at]!, reply.data, start, reply);
      return;
    }
    if (isRangeRefusal(reply.code)) remember({ fc, start, count });
    const halves = isRangeRefusal(reply.code)
      ? splitBlock(
          block,
          points.map(({ address }) => address),
        )
      : undefined;
    if (!halves) {
      const why = refusalOf(reply.code);
      for (const at of block.points) into[points[at]!.index] = badSample(points[at]!.ref, why, reply);
      return;
    }
    for (const half of halves) await readBlock(half, points, into, signal);
  }

  const closed = (): DriverError =>
    new DriverError('lost', 'the device was closed', `${deps.where} unit ${unit}`);
  function assertOpen(): void {
    if (isClosed) throw closed();
  }

  return {
    async connect(signal) {
      isClosed = false;
      await deps.bus.open(signal);
    },
    browse: (signal) => browseUnit({ bus, unit, texts: deps.texts, order: deps.order }, signal),
    async read(refs, signal) {
      assertOpen();
      const { wrong, points, blocks } = planFor(refs);
      const samples = new Array<Sample>(refs.length);
      for (const { index, why } of wrong) samples[index] = misread(refs[index]!, why, deps.now());
      const long = reach.isInDoubt
        ? blocks.find(({ fc, points: { length } }) => fc > 2 && length > 1)
        : undefined;
      if (long) await askBlock(firstOf(long, points), signal);
      for (const block of blocks) await readBlock(block, points, samples, signal);
      return samples;
    },
    async write(order, signal) {
      assertOpen();
      const address = addressOf(order.ref.address);
      if (address instanceof DriverError) throw address;
      return writePoint({ bus, unit, where: deps.where, wait: deps.wait }, address, order, signal);
    },
    close() {
      isClosed = true;
      deps.bus.drop(unit);
      return Promise.resolve();
    },
  };
}

interface Plan {
  readonly refs: readonly PointRef[];
  readonly maxRegisters: number;
  /** Points whose address is none. */
  readonly wrong: readonly { readonly index: number; readonly why: string }[];
  readonly points: readonly Readable[];
  readonly blocks: readonly Block[];
}

/** The first point of a block alone. */
function firstOf({ fc, points: [first] }: Block, points: readonly Readable[]): Block {
  const { start, count } = points[first!]!.address;
  return { fc, start, count, points: [first!] };
}

const isSame = (a: readonly PointRef[], b: readonly PointRef[]): boolean =>
  a.length === b.length && a.every((ref, at) => ref === b[at]);

interface Readable {
  readonly ref: PointRef;
  readonly address: Address;
  /** Position among the refs that were asked for. */
  readonly index: number;
}

/** A wrong address concerns its point alone; it comes back bad with the reason, and its neighbours are read. */
function tryParse(text: string, order: Order): Address | DriverError {
  try {
    return parseAddress(text, order);
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

function sampleOf({ ref, address }: Readable, data: Uint8Array, start: number, times: Reply): Sample {
  const decoded = decodePoint(data, start, address, ref);
  if (!decoded.ok) return badSample(ref, decoded.why, times);
  return {
    pointId: ref.pointId,
    at: times.at,
    beganAt: times.beganAt,
    value: decoded.value,
    quality: 'good',
  };
}

function badSample(
  { pointId }: PointRef,
  why: string,
  { at, beganAt }: Pick<Reply, 'at' | 'beganAt'>,
): Sample {
  return { pointId, at, beganAt, value: null, quality: 'bad', why };
}

const misread = (ref: PointRef, why: string, now: number): Sample =>
  badSample(ref, why, { at: now, beganAt: now });

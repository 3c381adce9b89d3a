import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import { type Address, type Order, parseAddress } from './address.ts';
import type { Bus, Reply } from './bus.ts';
import { decodePoint } from './codec.ts';
import { type Block, planBlocks, type Range, splitBlock } from './plan.ts';

export interface ModbusDriverDeps {
  readonly bus: Bus;
  readonly unit: number;
  readonly gapRegisters: number;
  readonly maxRegisters: number;
  /** Order of numbers whose address names none. */
  readonly order: Order;
  readonly now: () => number;
}

const exceptionNames: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'accepted, not done yet',
  6: 'device busy',
  8: 'memory parity error',
};

/** Illegal address or length: a smaller range may be legal. */
const isRangeRefusal = (code: number): boolean => code === 2 || code === 3;

/** Reads one unit on a bus it shares with other units. The bus serialises requests; this adds meaning. */
export function createModbusDriver(deps: ModbusDriverDeps): Driver {
  const { bus, unit } = deps;
  const known = new Map<string, Address | DriverError>();
  const refused: Range[] = []; // Learned from this device, so that each refusal is met once.
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
  }

  /** Reads a block; where the device refuses the range, its parts. Gives one sample for each of its points. */
  async function readBlock(
    block: Block,
    points: readonly Readable[],
    signal: AbortSignal,
  ): Promise<[number, Sample][]> {
    const { fc, start, count } = block;
    const reply = await bus.read({ unit, fc, start, count }, signal);
    if (reply.kind === 'data') {
      const { data } = reply;
      return block.points.map((at) => [at, sampleOf(points[at]!, data, start, reply)]);
    }
    if (isRangeRefusal(reply.code)) remember({ fc, start, count });
    const halves = isRangeRefusal(reply.code)
      ? splitBlock(
          block,
          points.map(({ address }) => address),
        )
      : undefined;
    if (!halves) {
      const why = exceptionNames[reply.code] ?? `exception ${reply.code}`;
      return block.points.map((at) => [at, badSample(points[at]!.ref, why, reply)]);
    }
    return [...(await readBlock(halves[0], points, signal)), ...(await readBlock(halves[1], points, signal))];
  }

  return {
    async connect(signal) {
      isClosed = false;
      await bus.open(signal);
    },
    browse: nothing, // Modbus cannot be asked what it holds: points come from a device template.
    async read(refs, signal) {
      if (isClosed) throw new DriverError('lost', 'the device was closed', `unit ${unit}`);
      const samples = new Array<Sample>(refs.length);
      const points: Readable[] = [];
      refs.forEach((ref, index) => {
        const address = addressOf(ref.address);
        if (address instanceof DriverError) samples[index] = misread(ref, address.message, deps.now());
        else points.push({ ref, address, index });
      });
      const { gapRegisters, maxRegisters } = deps;
      const addresses = points.map(({ address }) => address);
      for (const block of planBlocks(addresses, { gapRegisters, maxRegisters, refused })) {
        for (const [at, sample] of await readBlock(block, points, signal))
          samples[points[at]!.index] = sample;
      }
      return samples;
    },
    close() {
      isClosed = true;
      bus.drop(unit);
      return Promise.resolve();
    },
  };
}

async function* nothing(): AsyncGenerator<never> {
  yield* [];
}

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

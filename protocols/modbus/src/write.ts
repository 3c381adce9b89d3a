import { DriverError, type PointRef, rawOf, type WriteOrder, type Written } from '@parkline/kit';
import type { Address } from './address.ts';
import type { Bus, Reply } from './bus.ts';
import { decodePoint, judgeAs } from './codec.ts';
import { encodeRaw } from './encode.ts';
import { ACKNOWLEDGED, NO_SUCH_FUNCTION, refusalOf } from './exceptions.ts';
import {
  maskRegister,
  readOf,
  type Request,
  writeCoil,
  writeCoils,
  writeRegister,
  writeRegisters,
} from './requests.ts';

export interface WriterDeps {
  readonly bus: Pick<Bus, 'ask'>;
  readonly unit: number;
  /** Names the connection in errors. */
  readonly where: string;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A device may show a written value a little later: it is read back at once and after these waits, ms. */
const READ_BACK_AGAIN_MS = [100, 400];

const MOST_TOLD_APART = 1e15;

/**
 * Writes one value ahead of all polling and reads it back. Functions 5 and 6, or 15 and 16 where the device has no other; 22 for
 * bits of a register.
 * @throws DriverError 'config' for what the place cannot hold exactly, 'refused', 'timeout', 'lost'.
 */
export async function writePoint(
  deps: WriterDeps,
  address: Address,
  { ref, value }: WriteOrder,
  signal: AbortSignal,
): Promise<Written> {
  const writer = createWriter(deps, address, signal);
  const raw = rawToWrite(address, ref, value, writer.refuse);
  if (address.fc === 2 || address.fc === 4) throw writer.refuse('it can only be read');
  if (address.fc === 1) await writer.writeCoil(raw);
  else if (address.type === 'bit' || address.type === 'bits') await writer.writeBits(raw);
  else await writer.writeNumber(raw);
  return readBack(deps, address, ref, value!, signal);
}

/** @throws DriverError 'config' for a value that would not be shown as it was ordered. */
function rawToWrite(
  address: Address,
  ref: PointRef,
  value: number | null,
  refuse: (why: string) => DriverError,
): number {
  if (value === null) throw refuse('Modbus has no lower priority to give it back to');
  if (!Number.isFinite(value)) throw refuse(`${value} is no number`);
  const raw = rawOf(value, ref) + 0; // -0 becomes 0.
  const verdict = judgeAs(address.type, raw, ref.limits);
  if (verdict.quality !== 'good') throw refuse(`raw value ${verdict.why}`);
  // A double tells 15 decimal digits apart: of two raw values with more, both may show as what was ordered.
  if (Math.abs(raw) >= MOST_TOLD_APART && !Number.isInteger(ref.scale))
    throw refuse(`raw value ${raw} has more than 15 digits`);
  return raw;
}

function createWriter({ bus, unit, where }: WriterDeps, address: Address, signal: AbortSignal) {
  const { start } = address;
  const place = `${where} unit ${unit} ${address.fc === 1 ? 'coil' : 'register'} ${start}`;
  const refuse = (why: string): DriverError => new DriverError('config', `${why} (${place})`, place);

  const send = (request: Request): Promise<Reply> => bus.ask(request, signal, 'write');
  function assertTaken(reply: Reply, fc: number): void {
    if (reply.kind === 'data' || reply.code === ACKNOWLEDGED) return;
    throw new DriverError('refused', `${refusalOf(reply.code)}: function ${fc} (${place})`, place);
  }
  const lacks = (reply: Reply): boolean => reply.kind === 'exception' && reply.code === NO_SUCH_FUNCTION;

  /** @param otherwise For a device that does not know the function; nothing was done then. */
  async function write(request: Request, otherwise?: Request): Promise<void> {
    const reply = await send(request).catch(unlessBent);
    if (!reply) return;
    if (lacks(reply) && otherwise) return write(otherwise);
    assertTaken(reply, request.fc);
  }

  async function rewrite(and: number, or: number): Promise<void> {
    const reply = await send(readOf({ unit, fc: 3, start, count: 1 }));
    if (reply.kind !== 'data') return assertTaken(reply, 3);
    const word = (((reply.data[0]! << 8) | reply.data[1]!) & and) | or;
    const bytes = Uint8Array.of(word >> 8, word & 0xff);
    await write(writeRegister(unit, start, bytes), writeRegisters(unit, start, bytes));
  }

  return {
    refuse,
    writeCoil(raw: number): Promise<void> {
      if (raw !== 0 && raw !== 1) throw refuse(`a coil holds 0 or 1, not ${raw}`);
      return write(writeCoil(unit, start, raw === 1), writeCoils(unit, start, [raw === 1]));
    },
    writeNumber(raw: number): Promise<void> {
      const encoded = encodeRaw(raw, address);
      if (!encoded.ok) throw refuse(encoded.why);
      const all = writeRegisters(unit, start, encoded.bytes);
      return address.count === 1 ? write(writeRegister(unit, start, encoded.bytes), all) : write(all);
    },
    async writeBits(raw: number): Promise<void> {
      const most = 2 ** (address.width ?? 1) - 1;
      if (!Number.isInteger(raw) || raw < 0 || raw > most)
        throw refuse(`these bits hold 0..${most}, not ${raw}`);
      const and = 0xffff & ~(most << address.bit);
      const or = raw << address.bit;
      const reply = await send(maskRegister(unit, start, and, or)).catch(unlessBent);
      if (!reply) return;
      if (!lacks(reply)) return assertTaken(reply, 22);
      if (address.mayRewrite) return rewrite(and, or);
      const why =
        'it cannot write single bits (function 22), and reading and writing the whole register could undo what the ' +
        'device does meanwhile: where that cannot be, end the address in :rmw';
      throw new DriverError('refused', `${why} (${place})`, place);
    },
  };
}

/** Bytes that are no answer to a write (a device that cuts a value may say the cut one) leave it to the reading back to tell what is there. */
function unlessBent(error: unknown): undefined {
  if (error instanceof DriverError && error.code === 'garbage') return undefined;
  throw error;
}

async function readBack(
  deps: WriterDeps,
  address: Address,
  ref: PointRef,
  value: number,
  signal: AbortSignal,
): Promise<Written> {
  const { fc, start, count } = address;
  for (let turn = 0; ; turn += 1) {
    const reply = await deps.bus.ask(readOf({ unit: deps.unit, fc, start, count }), signal, 'write');
    const shown =
      reply.kind === 'data'
        ? decodePoint(reply.data, start, address, ref)
        : { ok: false as const, why: refusalOf(reply.code) };
    if (shown.ok && isShown(value, shown.value, ref))
      return { state: 'done', at: reply.at, readBack: shown.value };
    if (turn >= READ_BACK_AGAIN_MS.length) {
      if (!shown.ok)
        return { state: 'differs', at: reply.at, readBack: null, detail: `read back: ${shown.why}` };
      return { state: 'differs', at: reply.at, readBack: shown.value, detail: `it shows ${shown.value}` };
    }
    await deps.wait(READ_BACK_AGAIN_MS[turn]!, signal);
  }
}

/** Equal in raw values: an engineering value may carry more digits than its scale leaves. */
const isShown = (ordered: number, shown: number, ref: PointRef): boolean =>
  ordered === shown || rawOf(ordered, ref) === rawOf(shown, ref);

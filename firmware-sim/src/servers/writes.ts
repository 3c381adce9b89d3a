import type { Device } from '../device.ts';
import { exceptions } from './exceptions.ts';

/** What a request to change something leads to: the reply's bytes after the function code, or an exception. */
export type Done =
  { readonly ok: true; readonly body: Buffer } | { readonly ok: false; readonly exception: number };

/** Most of one request, Modbus application protocol clauses 6.11 and 6.12. */
const MOST_COILS = 1_968;
const MOST_REGISTERS = 123;
const ON = 0xff00;

const refused = (exception: number): Done => ({ ok: false, exception });
const badValue = refused(exceptions.value);

/** The functions that change something, by code. Each takes the request's bytes after the function code. */
export const writes: Readonly<Record<number, (body: Buffer, device: Device) => Done>> = {
  5: (body, device) => {
    if (body.length !== 4) return badValue;
    const state = body.readUInt16BE(2);
    return state === 0 || state === ON ? store(device, 'coil', body, [state === ON ? 1 : 0], body) : badValue;
  },
  6: (body, device) =>
    body.length === 4 ? store(device, 'holding', body, [body.readUInt16BE(2)], body) : badValue,
  15: (body, device) => {
    const count = body.length > 5 ? body.readUInt16BE(2) : 0;
    const bytes = body.subarray(5);
    if (count < 1 || count > MOST_COILS || body[4] !== Math.ceil(count / 8) || bytes.length !== body[4])
      return badValue;
    const bits = Array.from({ length: count }, (_, at) => (bytes[at >> 3]! >> (at & 7)) & 1);
    return store(device, 'coil', body, bits, body.subarray(0, 4));
  },
  16: (body, device) => {
    const count = body.length > 5 ? body.readUInt16BE(2) : 0;
    const bytes = body.subarray(5);
    if (count < 1 || count > MOST_REGISTERS || body[4] !== count * 2 || bytes.length !== body[4])
      return badValue;
    const words = Array.from({ length: count }, (_, at) => bytes.readUInt16BE(2 * at));
    return store(device, 'holding', body, words, body.subarray(0, 4));
  },
  22: (body, device) => {
    if (body.length !== 6) return badValue;
    const [and, or] = [body.readUInt16BE(2), body.readUInt16BE(4)];
    const shown = device.read('holding', body.readUInt16BE(0), 1, 0);
    if (!shown.ok) return refused(shown.exception);
    return store(device, 'holding', body, [(shown.words[0]! & and) | (or & ~and & 0xffff)], body);
  },
};

function store(
  device: Device,
  area: 'coil' | 'holding',
  body: Buffer,
  words: readonly number[],
  reply: Buffer,
): Done {
  const exception = device.write ? device.write(area, body.readUInt16BE(0), words) : exceptions.function;
  return exception === undefined ? { ok: true, body: Buffer.from(reply) } : refused(exception);
}

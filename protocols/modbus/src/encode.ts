import type { Address } from './address.ts';
import { decodeRaw, reordered } from './codec.ts';

/** What is to stand in a device, or why nothing can stand there for this number. */
export type Encoded =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly why: string };

const refuse = (why: string): Encoded => ({ ok: false, why });

const integers = {
  u16: [0n, 0xffffn],
  i16: [-0x8000n, 0x7fffn],
  u32: [0n, 0xffff_ffffn],
  i32: [-0x8000_0000n, 0x7fff_ffffn],
  u64: [0n, 0xffff_ffff_ffff_ffffn],
  i64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
  bcd16: [0n, 9_999n],
  bcd32: [0n, 99_999_999n],
} as const;

/**
 * The registers that show `raw`, in the device's order: two bytes each. Nothing is rounded: what the registers would show otherwise
 * is refused. Only for types of whole registers.
 */
export function encodeRaw(raw: number, address: Address): Encoded {
  const { type, count, order } = address;
  const view = new DataView(new ArrayBuffer(count * 2));
  switch (type) {
    case 'f32':
      view.setFloat32(0, raw);
      break;
    case 'f64':
      view.setFloat64(0, raw);
      break;
    case 'bit':
    case 'bits':
    case 'str':
      return refuse(`a register is not written as ${type}`);
    default: {
      const [least, most] = integers[type];
      if (!Number.isSafeInteger(raw)) return refuse(`${type} holds whole numbers up to 2^53, not ${raw}`);
      if (raw < least || raw > most) return refuse(`${type} holds ${least}..${most}, not ${raw}`);
      const number = type.startsWith('bcd') ? BigInt(`0x${raw}`) : BigInt(raw);
      for (let at = 0; at < count; at += 1)
        view.setUint16(2 * at, Number((number >> BigInt(16 * (count - 1 - at))) & 0xffffn));
    }
  }
  const bytes = reordered(new Uint8Array(view.buffer), order);
  const shown = decodeRaw(bytes, 0, address);
  if (!shown.ok || !Object.is(shown.value, raw)) return refuse(`${type} cannot hold ${raw} exactly`);
  return { ok: true, bytes };
}

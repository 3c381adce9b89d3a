import { DriverError } from '@parkline/kit';
import { type Raw, readBcd } from '@parkline/kit/meters';
import { type Format, itemOf, parseFormat } from './items.ts';

/** Where a number is in a meter and how it is written there. */
export interface Address {
  /** DI3 DI2 DI1 DI0 as 8 hex digits in capitals. */
  readonly item: string;
  /** Which number of a data block, from 0. */
  readonly part: number;
  /** A number in digits, or one bit of a status word. */
  readonly as: Format | { readonly bit: number };
}

/**
 * Reads `<DI3 DI2 DI1 DI0>[/<number in a block, from 1>][:<format>]`, such as `00010000`, `0201FF00/2`, `02030000:-XX.XXXX`, or
 * `04000503:bit4`. The format may be left out for the identifiers of annex A.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string): Address {
  const fail = (what: string): never => {
    throw new DriverError('config', `${what} in address '${text}'`, 'dlt645 address');
  };
  const [, id, part = '1', form] = /^([0-9A-Fa-f]{8})(?:\/(\d{1,2}))?(?::(.*))?$/.exec(text) ?? [];
  if (id === undefined)
    return fail(`no identifier of 8 hex digits with an optional /n and :format, like 00010000:XXXXXX.XX,`);
  if (Number(part) < 1) return fail('numbers of a block count from 1');
  const item = id.toUpperCase();
  const known = itemOf(item)?.format;
  const wanted = form ?? known;
  if (wanted === undefined) return fail(`${item} is not in our tables: say its format, like ${item}:XX.XX,`);
  const bit = /^bit(\d|1[0-5])$/.exec(wanted)?.[1];
  if (bit !== undefined) return { item, part: Number(part) - 1, as: { bit: Number(bit) } };
  if (wanted === 'bits') return fail(`a status word needs its bit, like ${item}:bit4,`);
  const format = parseFormat(wanted);
  if (!format) return fail(`'${wanted}' is no format like XXXXXX.XX, -XX.XXXX or bit4`);
  return { item, part: Number(part) - 1, as: format };
}

/** The number of an address out of the data of its item. */
export function decodeItem(payload: Uint8Array, { part, as }: Address): Raw {
  const size = 'bit' in as ? 2 : as.bytes;
  const bytes = payload.subarray(part * size, (part + 1) * size);
  if (bytes.length < size || payload.length % size !== 0)
    return {
      ok: false,
      why: `${payload.length} bytes of data do not hold number ${part + 1} of ${size} bytes`,
    };
  if ('bit' in as) return { ok: true, value: ((bytes[0]! | (bytes[1]! << 8)) >> as.bit) & 1 };
  return readBcd(bytes, as.decimals, as.isSigned);
}

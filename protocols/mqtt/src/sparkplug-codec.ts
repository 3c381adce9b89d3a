/** A metric of Sparkplug B as it travels (Sparkplug 3.0.0, clause 6.4.6). */
export interface Metric {
  readonly name?: string;
  readonly alias?: bigint;
  /** Unix ms. */
  readonly timestamp?: number;
  readonly datatype?: number;
  readonly isHistorical?: boolean;
  readonly isNull?: boolean;
  /** A whole number as it travels, unsigned; {@link numberOf} knows its sign. Undefined for sets, templates and the like. */
  readonly value?: bigint | number | boolean | string;
}

export interface SparkplugPayload {
  /** Unix ms. */
  readonly timestamp?: number;
  readonly seq?: number;
  readonly metrics: readonly Metric[];
}

/** Data types, clause 6.4.16. */
export const datatypes = {
  ...{ int8: 1, int16: 2, int32: 3, int64: 4, uint8: 5, uint16: 6, uint32: 7, uint64: 8 },
  ...{ float: 9, double: 10, boolean: 11, string: 12, dateTime: 13, text: 14 },
} as const;

/** Metrics of one message; a birth of more is none of a building's. */
const MAX_METRICS = 10_000;
/** Wire types of protocol buffers, protobuf.dev/programming-guides/encoding. */
const wires = { varint: 0, eight: 1, bytes: 2, four: 5 } as const;

type Field =
  | { readonly number: number; readonly wire: 0 | 1 | 5; readonly bits: bigint }
  | { readonly number: number; readonly wire: 2; readonly bytes: Uint8Array };

/** Why bytes are no Sparkplug payload. */
export class SparkplugError extends Error {
  override readonly name = 'SparkplugError';
}

/** @throws SparkplugError when the bytes are cut off or no protocol buffer. Unknown fields are passed over. */
export function decodePayload(bytes: Uint8Array): SparkplugPayload {
  const metrics: Metric[] = [];
  const head: { timestamp?: number; seq?: number } = {};
  for (const field of fieldsOf(bytes)) {
    if (field.wire === wires.bytes) {
      if (field.number !== 2) continue;
      if (metrics.length === MAX_METRICS) throw new SparkplugError(`more than ${MAX_METRICS} metrics`);
      metrics.push(decodeMetric(field.bytes));
    } else if (field.number === 1) head.timestamp = Number(field.bits);
    else if (field.number === 3) head.seq = Number(field.bits);
  }
  return { ...head, metrics };
}

function decodeMetric(bytes: Uint8Array): Metric {
  const metric: { -readonly [K in keyof Metric]: Metric[K] } = {};
  for (const field of fieldsOf(bytes)) {
    if (field.wire === wires.bytes) {
      if (field.number === 1) metric.name = textOf(field.bytes);
      else if (field.number === 15) metric.value = textOf(field.bytes);
      continue;
    }
    const { number, bits } = field;
    if (number === 2) metric.alias = bits;
    else if (number === 3) metric.timestamp = Number(bits);
    else if (number === 4) metric.datatype = Number(bits);
    else if (number === 5) metric.isHistorical = bits !== 0n;
    else if (number === 7) metric.isNull = bits !== 0n;
    else if (number === 10 || number === 11) metric.value = bits;
    else if (number === 12 && field.wire === wires.four) metric.value = floatOf(bits);
    else if (number === 13 && field.wire === wires.eight) metric.value = doubleOf(bits);
    else if (number === 14) metric.value = bits !== 0n;
  }
  return metric;
}

/**
 * The number a metric shows; undefined when it shows none.
 * Whole numbers travel unsigned, negative ones as two's complement; some senders cut them to their width, some do not.
 */
export function numberOf(
  { value, isNull }: Metric,
  datatype: number | undefined,
): number | bigint | undefined {
  if (isNull || value === undefined || typeof value === 'string') return undefined;
  if (typeof value !== 'bigint') return Number(value);
  const signed = datatype !== undefined && datatype >= datatypes.int8 && datatype <= datatypes.int64;
  const whole = signed ? BigInt.asIntN(4 << datatype, value) : value;
  const isSafe = whole >= -(2n ** 53n) && whole <= 2n ** 53n;
  return isSafe ? Number(whole) : whole;
}

/** One message of a host: a command with these metrics. */
export function encodePayload({ timestamp, seq, metrics }: SparkplugPayload): Uint8Array {
  return Buffer.concat([
    ...(timestamp === undefined ? [] : [varintField(1, BigInt(timestamp))]),
    ...metrics.map((metric) => bytesField(2, encodeMetric(metric))),
    ...(seq === undefined ? [] : [varintField(3, BigInt(seq))]),
  ]);
}

function encodeMetric({ name, alias, timestamp, datatype, isHistorical, isNull, value }: Metric): Buffer {
  const parts: Buffer[] = [];
  if (name !== undefined) parts.push(bytesField(1, Buffer.from(name)));
  if (alias !== undefined) parts.push(varintField(2, alias));
  if (timestamp !== undefined) parts.push(varintField(3, BigInt(timestamp)));
  if (datatype !== undefined) parts.push(varintField(4, BigInt(datatype)));
  if (isHistorical) parts.push(varintField(5, 1n));
  if (isNull) parts.push(varintField(7, 1n));
  else if (value !== undefined) parts.push(encodeValue(value, datatype));
  return Buffer.concat(parts);
}

function encodeValue(value: bigint | number | boolean | string, datatype: number | undefined): Buffer {
  if (typeof value === 'string') return bytesField(15, Buffer.from(value));
  if (typeof value === 'boolean') return varintField(14, value ? 1n : 0n);
  if (datatype === datatypes.float) {
    const four = Buffer.alloc(5, (12 << 3) | wires.four);
    four.writeFloatLE(Number(value), 1);
    return four;
  }
  if (datatype === datatypes.double || !Number.isInteger(Number(value))) {
    const eight = Buffer.alloc(9, (13 << 3) | wires.eight);
    eight.writeDoubleLE(Number(value), 1);
    return eight;
  }
  const isLong =
    datatype === datatypes.int64 || datatype === datatypes.uint64 || datatype === datatypes.dateTime;
  return varintField(isLong ? 11 : 10, BigInt.asUintN(isLong ? 64 : 32, BigInt(value)));
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = (at: number, length: number): number => {
    if (length > bytes.length - at) throw new SparkplugError('cut off');
    return at + length;
  };
  for (let at = 0; at < bytes.length;) {
    const [tag, afterTag] = varintAt(bytes, at);
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (number === 0) throw new SparkplugError('a field without a number');
    if (wire === wires.varint) {
      const [bits, end] = varintAt(bytes, afterTag);
      yield { number, wire, bits };
      at = end;
    } else if (wire === wires.eight) {
      at = step(afterTag, 8);
      yield { number, wire, bits: view.getBigUint64(afterTag, true) };
    } else if (wire === wires.four) {
      at = step(afterTag, 4);
      yield { number, wire, bits: BigInt(view.getUint32(afterTag, true)) };
    } else if (wire === wires.bytes) {
      const [length, from] = varintAt(bytes, afterTag);
      at = step(from, Number(length));
      yield { number, wire, bytes: bytes.subarray(from, at) };
    } else throw new SparkplugError(`wire type ${wire}`);
  }
}

/** @returns the number, cut to 64 bits, and where it ends. */
function varintAt(bytes: Uint8Array, from: number): [bits: bigint, end: number] {
  let bits = 0n;
  for (let n = 0; n < 10; n += 1) {
    const byte = bytes[from + n];
    if (byte === undefined) throw new SparkplugError('cut off');
    bits |= BigInt(byte & 0x7f) << BigInt(7 * n);
    if (byte < 0x80) return [BigInt.asUintN(64, bits), from + n + 1];
  }
  throw new SparkplugError('a number of more than ten bytes');
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SparkplugError('text that is no UTF-8', { cause });
  }
}

function floatOf(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, Number(bits));
  return Number(view.getFloat32(0).toPrecision(7)); // What a person wrote: 21.3, not 21.299999237060547.
}

function doubleOf(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    const isLast = rest < 0x80n;
    bytes.push(Number(rest & 0x7fn) | (isLast ? 0 : 0x80));
    if (isLast) return Buffer.from(bytes);
  }
}

const tag = (number: number, wire: number): Buffer => varint(BigInt((number << 3) | wire));
const varintField = (number: number, value: bigint): Buffer =>
  Buffer.concat([tag(number, wires.varint), varint(value)]);
const bytesField = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([tag(number, wires.bytes), varint(BigInt(bytes.length)), bytes]);

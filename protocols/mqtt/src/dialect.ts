import { DriverError, type PointRef, rawOf } from '@parkline/kit';
import { type Address, formatAddress, parseAddress, type Place } from './address.ts';
import { stepInto, type Words } from './payload.ts';
import { datatypes, encodePayload, type Metric } from './sparkplug-codec.ts';
import type { Born, SparkplugNode } from './sparkplug.ts';
import type { Told } from './station.ts';

/** A message to a device. */
export interface Command {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** How a device names its values and takes new ones. */
export interface Dialect {
  readonly words: Words;
  /** @throws DriverError 'config' that says what is wrong. */
  parse(address: string): Address;
  format(place: Place): string;
  /** Whether a value that was told can be written; without an address nobody knows. */
  isWritable(address: Address): boolean;
  /**
   * The message that makes the point show `value`; null gives it back to the device's own control.
   * @param last What was told last: a device that shows true wants true.
   * @throws DriverError 'config' when the point cannot be written, or not with this value.
   */
  command(ref: PointRef, address: Address, value: number | null, last: Told | undefined): Command;
}

const fail = (what: string): never => {
  throw new DriverError('config', what, 'mqtt write');
};

/** Documents below `root`. */
export function createTopicDialect(root: string, words: Words): Dialect {
  return {
    words,
    parse: parseAddress,
    format: formatAddress,
    isWritable: ({ command }) => command !== undefined,
    command(ref, { path, command }, value, last) {
      if (!command)
        return fail(`address '${ref.address}' names no command: write it 'state:/open -> cmd:/open'`);
      const shown = last?.document.ok ? stepInto(last.document.value, path) : bareText(last);
      const raw = value === null ? null : wordFor(rawOf(value, ref), shown, words);
      return { topic: `${root}/${command.subtopic}`, payload: bytesOf(command.path, raw) };
    },
  };
}

const bareText = (last: Told | undefined): string | undefined =>
  last && !last.document.ok ? last.document.text : undefined;

/** A number in the device's own way of saying it. */
function wordFor(raw: number, shown: unknown, words: Words): number | boolean | string {
  if (typeof shown === 'boolean') {
    if (raw !== 0 && raw !== 1) return fail(`the device shows true or false, not ${raw}`);
    return raw === 1;
  }
  if (typeof shown !== 'string' || !Object.hasOwn(words, shown.toLowerCase())) return raw;
  const word = Object.keys(words).find((one) => words[one] === raw);
  if (word === undefined) return fail(`the device shows words, and none is declared for ${raw}`);
  return shown === shown.toUpperCase() ? word.toUpperCase() : word;
}

function bytesOf(path: readonly string[], raw: number | boolean | string | null): Uint8Array {
  if (path.length === 0 && typeof raw === 'string') return Buffer.from(raw);
  let document: unknown = raw;
  for (const step of path.toReversed()) document = Object.fromEntries([[step, document]]);
  return Buffer.from(JSON.stringify(document));
}

/** Metrics of a device of an edge node: an address is the name of a metric. */
export function createSparkplugDialect(
  node: SparkplugNode,
  device: string | undefined,
  now: () => number,
): Dialect {
  return {
    words: {},
    parse(address) {
      if (address === '' || address.length > 500) return fail(`'${address}' is no name of a metric`);
      return { subtopic: address, path: [] };
    },
    format: ({ subtopic }) => subtopic,
    isWritable: ({ subtopic }) => node.metric(device, subtopic) !== undefined,
    command(ref, { subtopic }, value) {
      const born = node.metric(device, subtopic) ?? fail(`metric ${subtopic} was not born yet`);
      if (value === null) return fail('Sparkplug has no way to give a metric back');
      const metric = metricOf(born, rawOf(value, ref), now());
      return {
        topic: node.commandTopic(device),
        payload: encodePayload({ timestamp: now(), metrics: [metric] }),
      };
    },
  };
}

const whole: Readonly<Record<number, readonly [min: number, max: number]>> = {
  [datatypes.int8]: [-(2 ** 7), 2 ** 7 - 1],
  [datatypes.int16]: [-(2 ** 15), 2 ** 15 - 1],
  [datatypes.int32]: [-(2 ** 31), 2 ** 31 - 1],
  [datatypes.int64]: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  [datatypes.uint8]: [0, 2 ** 8 - 1],
  [datatypes.uint16]: [0, 2 ** 16 - 1],
  [datatypes.uint32]: [0, 2 ** 32 - 1],
  [datatypes.uint64]: [0, Number.MAX_SAFE_INTEGER],
  [datatypes.boolean]: [0, 1],
};

function metricOf({ name, alias, datatype }: Born, raw: number, timestamp: number): Metric {
  const facts = {
    name,
    timestamp,
    ...(alias !== undefined && { alias }),
    ...(datatype !== undefined && { datatype }),
  };
  if (datatype === datatypes.float || datatype === datatypes.double) return { ...facts, value: raw };
  const range = whole[datatype ?? 0] ?? fail(`metric ${name} is of a type that cannot be written`);
  if (!Number.isInteger(raw) || raw < range[0] || raw > range[1])
    return fail(`metric ${name} holds whole numbers from ${range[0]} to ${range[1]}, not ${raw}`);
  return { ...facts, value: datatype === datatypes.boolean ? raw === 1 : BigInt(raw) };
}

import { DriverError, parseParams, type Static, Type } from '@parkline/kit';
import { isSubtopic, stepsOf } from './address.ts';
import type { TimeRule, Words } from './payload.ts';

/** The gateway is the broker. */
export const BrokerParams = Type.Object(
  {
    mode: Type.Literal('broker', { default: 'broker' }),
    /** Address to listen on: the network of the devices, not the office's. */
    host: Type.String({ minLength: 1, default: '127.0.0.1' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, default: 1883 }),
    /** For a device to connect after the broker opened, and to tell something after it connected. */
    timeoutMs: Type.Integer({ minimum: 10, maximum: 20_000, default: 10_000 }),
    /** A larger packet ends its connection. */
    maxPacketBytes: Type.Integer({ minimum: 128, maximum: 1_048_576, default: 65_536 }),
    /** Open connections, of everyone. */
    maxConnections: Type.Integer({ minimum: 1, maximum: 10_000, default: 1_000 }),
    /** Messages a device may send each second in the long run; ten times as many in a burst. Faster ones are slowed down. */
    maxMessagesPerSecond: Type.Integer({ minimum: 1, maximum: 100_000, default: 100 }),
    /** Paths of PEM files. With them the port speaks TLS 1.2 or later and nothing else. */
    tls: Type.Optional(
      Type.Object(
        { certFile: Type.String({ minLength: 1 }), keyFile: Type.String({ minLength: 1 }) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type BrokerParams = Static<typeof BrokerParams>;

/** The gateway is a client of somebody else's broker. */
export const ClientParams = Type.Object(
  {
    mode: Type.Literal('client'),
    /** mqtt://host:port, or mqtts:// for TLS. */
    url: Type.String({ pattern: '^mqtts?://[^/@\\s]+$' }),
    /** One and the same for ever, so that the broker knows us again. */
    clientId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    username: Type.Optional(Type.String({ minLength: 1 })),
    password: Type.Optional(Type.String({ minLength: 1 })),
    /** Path of a file with the password, in its place. */
    passwordFile: Type.Optional(Type.String({ minLength: 1 })),
    /** Path of the PEM file of whom to trust, where that is not one of the well-known. */
    caFile: Type.Optional(Type.String({ minLength: 1 })),
    /** Paths of PEM files: who we are, where the broker asks for a certificate. */
    certFile: Type.Optional(Type.String({ minLength: 1 })),
    keyFile: Type.Optional(Type.String({ minLength: 1 })),
    /** false: the broker keeps QoS 1 messages for us while we are away. */
    cleanSession: Type.Boolean({ default: false }),
    keepaliveS: Type.Integer({ minimum: 5, maximum: 3_600, default: 30 }),
    /** Version of MQTT spoken to the broker. */
    protocol: Type.Union([Type.Literal('3.1.1'), Type.Literal('5')], { default: '3.1.1' }),
    /** For the broker to answer, and for a device to tell something. */
    timeoutMs: Type.Integer({ minimum: 10, maximum: 20_000, default: 10_000 }),
  },
  { additionalProperties: false },
);
export type ClientParams = Static<typeof ClientParams>;

const Name = Type.String({ pattern: '^[^/+#\\u0000-\\u001f]{1,128}$' });

export const DeviceParams = Type.Object(
  {
    /** With the gateway's broker: who logs in, and the name of its topics, `devices/<username>/...`. */
    username: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' })),
    /** SHA-256 of the device's token, hex. */
    passwordSha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
    /** Below which topic it tells. With the gateway's broker only for devices that cannot be told theirs. */
    topic: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    /** An edge node of Sparkplug B, or a device of one. */
    sparkplug: Type.Optional(
      Type.Object({ group: Name, node: Name, device: Type.Optional(Name) }, { additionalProperties: false }),
    ),
    /** A value told longer ago stands no more, ms. Devices must tell theirs more often than that. */
    maxAgeMs: Type.Integer({ minimum: 100, default: 300_000 }),
    /** For the device to show what was written to it, ms. */
    confirmMs: Type.Integer({ minimum: 100, maximum: 60_000, default: 5_000 }),
    /** Words that stand for numbers, upper or lower case, in place of on, off, true and false. */
    words: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 100 }), Type.Number())),
    /** Where a payload says when it happened. */
    time: Type.Object(
      {
        /** JSON pointer. */
        pointer: Type.String({ default: '/ts' }),
        /** Unix ms, Unix s, or ISO 8601 with a zone. */
        format: Type.Union([Type.Literal('ms'), Type.Literal('s'), Type.Literal('iso')], { default: 'ms' }),
        /** A time this far before its arrival is not believed. Larger for devices that keep what they could not tell. */
        maxLagMs: Type.Integer({ minimum: 0, maximum: 30 * 86_400_000, default: 30_000 }),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);
export type DeviceParams = Static<typeof DeviceParams>;

/** @throws DriverError 'config' naming every bad field. */
export function parseConnectionParams(params: unknown): BrokerParams | ClientParams {
  const isClient = (params as { mode?: unknown } | undefined)?.mode === 'client';
  const parsed = isClient
    ? parseParams(ClientParams, params, 'mqtt connection')
    : parseParams(BrokerParams, params, 'mqtt connection');
  if (parsed.mode === 'client' && parsed.password !== undefined && parsed.passwordFile !== undefined)
    throw new DriverError('config', 'password and passwordFile exclude each other', 'mqtt connection');
  if (parsed.mode === 'client' && !parsed.cleanSession && parsed.clientId === undefined)
    throw new DriverError(
      'config',
      'clientId is needed where cleanSession is false: by it the broker knows us again',
      'mqtt connection',
    );
  return parsed;
}

/** @throws DriverError 'config' naming every bad field. */
export function parseDeviceParams(params: unknown): DeviceParams {
  const parsed = parseParams(DeviceParams, params, 'mqtt device');
  if (parsed.topic !== undefined && !isSubtopic(parsed.topic))
    throw new DriverError('config', `topic '${parsed.topic}' is no topic without wildcards`, 'mqtt device');
  if (parsed.topic !== undefined && parsed.sparkplug)
    throw new DriverError('config', 'topic and sparkplug exclude each other', 'mqtt device');
  timeRuleOf(parsed);
  return parsed;
}

/** @throws DriverError 'config'. */
export function timeRuleOf({ time: { pointer, format, maxLagMs } }: DeviceParams): TimeRule {
  const path = stepsOf(pointer);
  if (typeof path === 'string') throw new DriverError('config', `time.pointer: ${path}`, 'mqtt device');
  return { path, format, maxLagMs };
}

export const wordsOf = ({ words }: DeviceParams, usual: Words): Words =>
  words
    ? Object.fromEntries(Object.entries(words).map(([word, value]) => [word.toLowerCase(), value]))
    : usual;

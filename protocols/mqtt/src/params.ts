import { schemaErrors } from '@parkline/contract';
import { paramsError } from '@parkline/kit';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

export const ConnectionParams = Type.Object(
  {
    /** Address to listen on: the network of the devices, not the office's. */
    host: Type.String({ minLength: 1, default: '127.0.0.1' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, default: 1883 }),
    /** For a device to connect after the broker opened, and to tell something after it connected. */
    timeoutMs: Type.Integer({ minimum: 10, maximum: 20_000, default: 10_000 }),
    /** A larger packet ends its connection. */
    maxPacketBytes: Type.Integer({ minimum: 128, maximum: 1_048_576, default: 65_536 }),
    /** Open connections, of everyone. */
    maxConnections: Type.Integer({ minimum: 1, maximum: 10_000, default: 1_000 }),
  },
  { additionalProperties: false },
);
export type ConnectionParams = Static<typeof ConnectionParams>;

export const DeviceParams = Type.Object(
  {
    /** Also the name of its topics, `devices/<username>/...`. */
    username: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
    /** SHA-256 of the device's token, hex. */
    passwordSha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** A value told longer ago stands no more, ms. Devices must tell theirs more often than that. */
    maxAgeMs: Type.Integer({ minimum: 100, default: 300_000 }),
  },
  { additionalProperties: false },
);
export type DeviceParams = Static<typeof DeviceParams>;

/** @throws DriverError 'config' naming every bad field. */
export const parseConnectionParams = (params: unknown): ConnectionParams => {
  const value = Value.Default(ConnectionParams, Value.Clone(params));
  if (Value.Check(ConnectionParams, value)) return value;
  throw paramsError(schemaErrors(ConnectionParams, value), 'mqtt connection');
};

/** @throws DriverError 'config' naming every bad field. */
export const parseDeviceParams = (params: unknown): DeviceParams => {
  const value = Value.Default(DeviceParams, Value.Clone(params));
  if (Value.Check(DeviceParams, value)) return value;
  throw paramsError(schemaErrors(DeviceParams, value), 'mqtt device');
};

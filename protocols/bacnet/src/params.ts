import { schemaErrors } from '@parkline/contract';
import { paramsError } from '@parkline/kit';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { MAX_INSTANCE } from './address.ts';

const Port = Type.Integer({ minimum: 1, maximum: 65_535, default: 47_808 });

export const ConnectionParams = Type.Object(
  {
    /** Address of the gateway's own interface. */
    host: Type.String({ minLength: 1, default: '0.0.0.0' }),
    /** Port to listen on; 0 for any free one, where no device answers by broadcast. */
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 47_808 }),
    /** Where Who-Is goes: the broadcast address of the network, or single devices. */
    whoIs: Type.Array(
      Type.Object({ host: Type.String({ minLength: 1 }), port: Port }, { additionalProperties: false }),
      { minItems: 1 },
    ),
    /** For each whole answer. */
    timeoutMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 1_000 }),
    /** How often a request is sent again that nobody answers. */
    retries: Type.Integer({ minimum: 0, maximum: 10, default: 3 }),
    /** Requests under way at once, over all devices. */
    maxInFlight: Type.Integer({ minimum: 1, maximum: 1_000, default: 16 }),
  },
  { additionalProperties: false },
);
export type ConnectionParams = Static<typeof ConnectionParams>;

export const DeviceParams = Type.Object(
  {
    /** Device instance: who it is, wherever it is. */
    device: Type.Integer({ minimum: 0, maximum: MAX_INSTANCE }),
    /** How changes are told; `off` leaves it to polling. */
    cov: Type.Union([Type.Literal('confirmed'), Type.Literal('unconfirmed'), Type.Literal('off')], {
      default: 'confirmed',
    }),
    /** Life of a subscription, seconds; renewed at half of it. */
    covLifetimeS: Type.Integer({ minimum: 1, maximum: 86_400, default: 600 }),
  },
  { additionalProperties: false },
);
export type DeviceParams = Static<typeof DeviceParams>;

/** @throws DriverError 'config' naming every bad field. */
export const parseConnectionParams = (params: unknown): ConnectionParams => {
  const value = Value.Default(ConnectionParams, Value.Clone(params));
  if (Value.Check(ConnectionParams, value)) return value;
  throw paramsError(schemaErrors(ConnectionParams, value), 'bacnet connection');
};

/** @throws DriverError 'config' naming every bad field. */
export const parseDeviceParams = (params: unknown): DeviceParams => {
  const value = Value.Default(DeviceParams, Value.Clone(params));
  if (Value.Check(DeviceParams, value)) return value;
  throw paramsError(schemaErrors(DeviceParams, value), 'bacnet device');
};

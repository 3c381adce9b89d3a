import { DriverError, parseParams, type Static, Type } from '@parkline/kit';
import { MAX_INSTANCE } from './address.ts';
import { isTimeZone } from './time.ts';

const Port = Type.Integer({ minimum: 1, maximum: 65_535, default: 47_808 });

export const ConnectionParams = Type.Object(
  {
    /** Address of the gateway's own interface. */
    host: Type.String({ minLength: 1, default: '0.0.0.0' }),
    /** Port to listen on; 0 for any free one, where no device answers by broadcast. */
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 47_808 }),
    /** Where Who-Is goes: the broadcast address of the network, or single devices. May be empty where there is a BBMD. */
    whoIs: Type.Array(
      Type.Object({ host: Type.String({ minLength: 1 }), port: Port }, { additionalProperties: false }),
      { default: [] },
    ),
    /** The BBMD of another IP subnet, to register with as a foreign device. `ttlS`: life of a registration, renewed at half of it. */
    bbmd: Type.Optional(
      Type.Object(
        {
          host: Type.String({ minLength: 1 }),
          port: Port,
          ttlS: Type.Integer({ minimum: 1, maximum: 65_535, default: 300 }),
        },
        { additionalProperties: false },
      ),
    ),
    /** For each answer, and for each part of one that comes in segments. */
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
    /** Whether the gateway puts itself on the recipient lists of the device's notification classes, or only asks. */
    alarms: Type.Union([Type.Literal('subscribe'), Type.Literal('poll')], { default: 'subscribe' }),
    /** How often the device is asked what is not normal, seconds. */
    alarmPollS: Type.Number({ minimum: 0.1, maximum: 3_600, default: 30 }),
    /** IANA name of the zone its clock shows ('Europe/Berlin'); absent: what the device says, or else the gateway's. */
    timeZone: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);
export type DeviceParams = Static<typeof DeviceParams>;

/** @throws DriverError 'config' naming every bad field. */
export const parseConnectionParams = (params: unknown): ConnectionParams => {
  const where = 'bacnet connection';
  const value = parseParams(ConnectionParams, params, where);
  if (value.whoIs.length > 0 || value.bbmd) return value;
  throw new DriverError('config', 'whoIs names no place and there is no bbmd: nobody can be asked', where);
};

/** @throws DriverError 'config' naming every bad field. */
export const parseDeviceParams = (params: unknown): DeviceParams => {
  const value = parseParams(DeviceParams, params, 'bacnet device');
  if (value.timeZone === undefined || isTimeZone(value.timeZone)) return value;
  throw new DriverError('config', `timeZone '${value.timeZone}' is none like Asia/Shanghai`, 'bacnet device');
};

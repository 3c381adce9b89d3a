import { schemaErrors } from '@parkline/contract';
import { DriverError } from '@parkline/kit';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

export const ConnectionParams = Type.Object({
  transport: Type.Union([Type.Literal('tcp'), Type.Literal('rtu-over-tcp')]),
  host: Type.String({ minLength: 1 }),
  port: Type.Integer({ minimum: 1, maximum: 65_535, default: 502 }),
  /** For connecting and for each answer. */
  timeoutMs: Type.Integer({ minimum: 10, maximum: 60_000, default: 1_000 }),
  /** Registers that nobody asked for and that may be read along. */
  gapRegisters: Type.Integer({ minimum: 0, maximum: 124, default: 10 }),
  /** Registers in one request. */
  maxRegisters: Type.Integer({ minimum: 1, maximum: 125, default: 125 }),
  /** Silence between two requests. */
  interFrameMs: Type.Integer({ minimum: 0, maximum: 10_000, default: 0 }),
});
export type ConnectionParams = Static<typeof ConnectionParams>;

export const DeviceParams = Type.Object({
  unit: Type.Integer({ minimum: 1, maximum: 255 }),
  /** In place of the connection's. */
  gapRegisters: Type.Optional(ConnectionParams.properties.gapRegisters),
  maxRegisters: Type.Optional(ConnectionParams.properties.maxRegisters),
  /** Order of the registers of numbers whose address names none. */
  wordOrder: Type.Optional(Type.Union([Type.Literal('high-first'), Type.Literal('low-first')])),
});
export type DeviceParams = Static<typeof DeviceParams>;

/** @throws DriverError 'config' naming every bad field. */
export const parseConnectionParams = (params: unknown): ConnectionParams => {
  const value = Value.Default(ConnectionParams, Value.Clone(params));
  if (Value.Check(ConnectionParams, value)) return value;
  throw fault(schemaErrors(ConnectionParams, value), 'modbus connection');
};

/** @throws DriverError 'config' naming every bad field. */
export const parseDeviceParams = (params: unknown): DeviceParams => {
  if (Value.Check(DeviceParams, params)) return params;
  throw fault(schemaErrors(DeviceParams, params), 'modbus device');
};

function fault(errors: readonly { instancePath: string; message: string }[], where: string): DriverError {
  const faults = errors.map(({ instancePath, message }) => `${instancePath.slice(1) || 'params'} ${message}`);
  return new DriverError('config', faults.join('; '), where);
}

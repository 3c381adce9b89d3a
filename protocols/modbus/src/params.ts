import { checkParams, DriverError, parseParams, type Static, Type } from '@parkline/kit';

const common = {
  /** For connecting and for each answer; on a serial line beside the time that the bytes take. */
  timeoutMs: Type.Integer({ minimum: 10, maximum: 60_000, default: 1_000 }),
  /** Registers that nobody asked for and that may be read along. */
  gapRegisters: Type.Integer({ minimum: 0, maximum: 124, default: 10 }),
  /** Registers in one request. */
  maxRegisters: Type.Integer({ minimum: 1, maximum: 125, default: 125 }),
  /** Silence between two requests; on a serial line at least 3.5 characters. */
  interFrameMs: Type.Integer({ minimum: 0, maximum: 10_000, default: 0 }),
};

export const NetworkParams = Type.Object({
  transport: Type.Union([Type.Literal('tcp'), Type.Literal('rtu-over-tcp')]),
  host: Type.String({ minLength: 1 }),
  port: Type.Integer({ minimum: 1, maximum: 65_535, default: 502 }),
  ...common,
});
export type NetworkParams = Static<typeof NetworkParams>;

/** Defaults as Modbus over serial line has them (clause 2.5.1). */
export const SerialParams = Type.Object({
  transport: Type.Literal('rtu'),
  path: Type.String({ minLength: 1 }),
  baudRate: Type.Integer({ minimum: 110, maximum: 921_600, default: 9_600 }),
  dataBits: Type.Literal(8, { default: 8 }),
  parity: Type.Union([Type.Literal('even'), Type.Literal('none'), Type.Literal('odd')], { default: 'even' }),
  stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], { default: 1 }),
  /** The adapter hears itself (two-wire RS-485 without echo suppression). */
  echo: Type.Boolean({ default: false }),
  ...common,
});
export type SerialParams = Static<typeof SerialParams>;
export type ConnectionParams = NetworkParams | SerialParams;

export const DeviceParams = Type.Object({
  unit: Type.Integer({ minimum: 1, maximum: 255 }),
  /** In place of the connection's. */
  gapRegisters: Type.Optional(common.gapRegisters),
  maxRegisters: Type.Optional(common.maxRegisters),
  /** Order of the registers of numbers whose address names none. */
  wordOrder: Type.Optional(Type.Union([Type.Literal('high-first'), Type.Literal('low-first')])),
  /** Texts to show when the device is browsed: `{serial: 'hr:100:str:8'}`. */
  texts: Type.Optional(Type.Record(Type.String({ minLength: 1 }), Type.String({ minLength: 1 }))),
});
export type DeviceParams = Static<typeof DeviceParams>;

/** @throws DriverError 'config' naming every bad field. */
export function parseConnectionParams(params: unknown): ConnectionParams {
  const transport = (params as { transport?: unknown } | null)?.transport;
  if (transport === 'rtu') return parseParams(SerialParams, params, 'modbus connection');
  if (transport === 'tcp' || transport === 'rtu-over-tcp')
    return parseParams(NetworkParams, params, 'modbus connection');
  throw new DriverError('config', 'transport must be one of tcp, rtu-over-tcp, rtu', 'modbus connection');
}

/** @throws DriverError 'config' naming every bad field. */
export const parseDeviceParams = (params: unknown): DeviceParams =>
  checkParams(DeviceParams, params, 'modbus device');

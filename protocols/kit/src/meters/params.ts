import type { DriverDeps } from '../driver.ts';
import { createSerialDial } from '../line/serial-dial.ts';
import { serialName } from '../line/serial-settings.ts';
import { createTcpDial } from '../line/tcp-dial.ts';
import { parseParams } from '../params.ts';
import { type Static, Type } from '../schema.ts';
import { createMeterLine, type MeterLine } from './meter-line.ts';

const strict = { additionalProperties: false };
const shared = {
  /** For connecting and for each whole answer. */
  timeoutMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 2_000 }),
  /** Silence after a time-out before the next question. */
  quietMs: Type.Integer({ minimum: 1, maximum: 5_000, default: 100 }),
};

/** A serial server (the line behind a TCP port), or a serial port of the gateway. */
export const MeterLineParams = Type.Union([
  Type.Object(
    {
      transport: Type.Literal('tcp'),
      host: Type.String({ minLength: 1 }),
      port: Type.Integer({ minimum: 1, maximum: 65_535 }),
      ...shared,
    },
    strict,
  ),
  Type.Object(
    {
      transport: Type.Literal('serial'),
      path: Type.String({ minLength: 1 }),
      /** Both standards begin at 2400 baud, 8 data bits, even parity, one stop bit. */
      baudRate: Type.Integer({ minimum: 300, maximum: 115_200, default: 2_400 }),
      dataBits: Type.Union([Type.Literal(7), Type.Literal(8)], { default: 8 }),
      parity: Type.Enum(['none', 'even', 'odd'], { default: 'even' }),
      stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], { default: 1 }),
      /** The adapter hears its own sending. */
      echo: Type.Boolean({ default: false }),
      ...shared,
    },
    strict,
  ),
]);
export type MeterLineParams = Static<typeof MeterLineParams>;

/** The line that a connection's parameters name; nothing is opened yet. @throws DriverError 'config' naming every bad field. */
export function createMeterLineOf(given: unknown, { now, log }: DriverDeps, where: string): MeterLine {
  const [tcp, serial] = MeterLineParams.anyOf;
  // Of two shapes, the one that is meant: its faults are worth naming.
  const isSerial = (given as { transport?: unknown } | null)?.transport === 'serial';
  const shape = { now, log, random: Math.random, steady: () => performance.now() };
  if (isSerial) {
    const params = parseParams(serial, given, where);
    return createMeterLine({
      ...shape,
      ...params,
      dial: createSerialDial(params),
      where: serialName(params),
    });
  }
  const params = parseParams(tcp, given, where);
  return createMeterLine({
    ...{ ...shape, ...params, dial: createTcpDial(params) },
    where: `${params.host}:${params.port}`,
  });
}

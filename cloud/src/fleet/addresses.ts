import { type Static, type TObject, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { EquipmentParams } from './tables.ts';

/** Where a device hangs on its bus, as the database keeps it, by protocol. */
export const addressSchemas = {
  modbus: Type.Object({
    unit: Type.Integer({ minimum: 0, maximum: 255 }),
    transport: Type.Union([Type.Literal('tcp'), Type.Literal('rtu-over-tcp')]),
  }),
  /** Device instance. */
  bacnet: Type.Object({ device: Type.Integer({ minimum: 0, maximum: 4_194_302 }) }),
  /** Prefix of its node ids. */
  opcua: Type.Object({ root: Type.String({ pattern: '^[A-Za-z0-9_.-]{1,100}$' }) }),
  /** Its login at the gateway's broker, and the folder of its topics. */
  mqtt: Type.Object({ username: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) }),
  /** 12 digits, as printed on the meter. */
  dlt645: Type.Object({ address: Type.String({ pattern: '^[0-9]{12}$' }) }),
  /** Kind of the meter in hex (10 cold water, 20 heat) and its address as printed, maker's code first. */
  cjt188: Type.Object({
    type: Type.String({ pattern: '^[0-9A-F]{2}$' }),
    address: Type.String({ pattern: '^[0-9A-F]{14}$' }),
    idOrder: Type.Optional(Type.Union([Type.Literal('low-first'), Type.Literal('high-first')])),
  }),
} as const satisfies Record<string, TObject>;
export type AddressOf<P extends keyof typeof addressSchemas> = Static<(typeof addressSchemas)[P]>;

/** The field by which the devices of a bus are told apart. */
export const nameOnBus = {
  modbus: 'unit',
  bacnet: 'device',
  opcua: 'root',
  mqtt: 'username',
  dlt645: 'address',
  cjt188: 'address',
} as const;

/** The address as one protocol has it; undefined when it is none of that protocol. */
export const readAddress = <P extends keyof typeof addressSchemas>(
  protocol: P,
  params: EquipmentParams,
): AddressOf<P> | undefined =>
  Value.Check(addressSchemas[protocol], params) ? (params as AddressOf<P>) : undefined;

/** Where on the bus, for a person: 'a-panel unit 3', 'a-bacnet device 2001'. A protocol we do not know: the bus alone. */
export function addressWords(protocol: string, bus: string, params: EquipmentParams): string {
  if (!Object.hasOwn(nameOnBus, protocol)) return bus;
  const field = nameOnBus[protocol as keyof typeof nameOnBus];
  return `${bus} ${field} ${String(params[field])}`;
}

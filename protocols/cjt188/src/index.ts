import { type Connection, type DriverDeps, type DriverModule, parseParams, Type } from '@parkline/kit';
import { createMeterLineOf } from '@parkline/kit/meters';
import { discover } from './discover.ts';
import { createCjt188Driver } from './driver.ts';

const DeviceParams = Type.Object(
  {
    /** Kind of the meter in hex: 10 cold water, 11 hot water, 20 heat, 21 cold, 30 gas. */
    type: Type.String({ pattern: '^[0-9A-F]{2}$' }),
    /** 14 hex digits: four of the maker's code, then ten of the number on the meter. */
    address: Type.String({ pattern: '^[0-9A-F]{14}$' }),
    /** Which byte of an identifier goes first: 901F as 1F 90 (low-first), or as 90 1F. */
    idOrder: Type.Union([Type.Literal('low-first'), Type.Literal('high-first')], { default: 'low-first' }),
    /** Longest time its valve takes from one end to the other. */
    valveMs: Type.Integer({ minimum: 0, maximum: 120_000, default: 20_000 }),
  },
  { additionalProperties: false },
);

/** Water, heat, cold and gas meters of CJ/T 188 on a serial line or behind a serial server. */
export const driver: DriverModule = { protocol: 'cjt188', openConnection };

function openConnection(given: unknown, deps: DriverDeps): Connection {
  const line = createMeterLineOf(given, deps, 'cjt188 connection');
  return {
    device(params) {
      const { valveMs, ...place } = parseParams(DeviceParams, params, 'cjt188 device');
      return createCjt188Driver({ line, place, valveMs, now: deps.now });
    },
    discover: (_range, signal) => discover(line, signal),
    close: () => line.close(),
  };
}

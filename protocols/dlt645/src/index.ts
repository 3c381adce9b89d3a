import { type Connection, type DriverDeps, type DriverModule, parseParams, Type } from '@parkline/kit';
import { createMeterLineOf } from '@parkline/kit/meters';
import { discover } from './discover.ts';
import { createDlt645Driver } from './driver.ts';

const DeviceParams = Type.Object(
  {
    /** 12 digits as printed on the meter; leading zeros count. */
    address: Type.String({ pattern: '^[0-9]{12}$' }),
  },
  { additionalProperties: false },
);

/** Electricity meters of DL/T 645-2007 on a serial line or behind a serial server, reading. */
export const driver: DriverModule = { protocol: 'dlt645', openConnection };

function openConnection(given: unknown, deps: DriverDeps): Connection {
  const line = createMeterLineOf(given, deps, 'dlt645 connection');
  return {
    device(params) {
      const { address } = parseParams(DeviceParams, params, 'dlt645 device');
      return createDlt645Driver({ line, address, now: deps.now });
    },
    discover: (range, signal) => discover(line, range, signal),
    close: () => line.close(),
  };
}

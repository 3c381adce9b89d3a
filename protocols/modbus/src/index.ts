import { type Connection, createTcpDial, type DriverDeps, type DriverModule } from '@parkline/kit';
import { createBus } from './bus.ts';
import { createModbusDriver } from './driver.ts';
import { createMbapFramer, createRtuFramer } from './frame.ts';
import { parseConnectionParams, parseDeviceParams } from './params.ts';

/** Modbus TCP and RTU-over-TCP, reading. */
export const driver: DriverModule = { protocol: 'modbus', openConnection };

function openConnection(given: unknown, { now, log }: DriverDeps): Connection {
  const params = parseConnectionParams(given);
  const bus = createBus({
    dial: createTcpDial(params),
    createFramer: params.transport === 'tcp' ? createMbapFramer : createRtuFramer,
    where: `${params.host}:${params.port}`,
    timeoutMs: params.timeoutMs,
    interFrameMs: params.interFrameMs,
    now,
    random: Math.random,
    log,
  });
  return {
    device(deviceParams) {
      const { unit, wordOrder, gapRegisters, maxRegisters } = parseDeviceParams(deviceParams);
      return createModbusDriver({
        bus,
        unit,
        gapRegisters: gapRegisters ?? params.gapRegisters,
        maxRegisters: maxRegisters ?? params.maxRegisters,
        order: wordOrder === 'low-first' ? 'CDAB' : 'ABCD',
        now,
      });
    },
    close() {
      bus.close();
      return Promise.resolve();
    },
  };
}

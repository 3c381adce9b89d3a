import { join } from 'node:path';
import type { Device } from './device.ts';
import { type EquipmentBus, type ModbusBus, protocolOf, type Bus, type Equipment } from './park.ts';
import type { BusServer, BusServerDeps, ServedDevice } from './servers/bus-server.ts';
import type { Quantities } from './models/quantities.ts';
import { createModbusServer, type ModbusServerDeps } from './servers/modbus.ts';

/** A device of the park with what it shows. */
export interface ShownDevice extends Equipment {
  readonly quantities: Quantities;
}

export interface BusDeps extends Omit<BusServerDeps<never>, 'bus' | 'devices'> {
  readonly latencyMs: number;
  /** Modbus units of a bus. */
  readonly unitsOf: (bus: string) => ReadonlyMap<number, Device>;
  readonly devicesOf: (bus: string) => readonly ShownDevice[];
  /** Token of a device that logs in somewhere, by its key. @throws Error when it has none. */
  readonly passwordOf: (key: string) => string;
}

/** The server of a bus. A protocol's library loads only for a bus that speaks it. */
export function createBus(bus: Bus, deps: BusDeps): Promise<BusServer> | BusServer {
  return isModbus(bus) ? modbusBus(bus, deps) : equipmentBus(bus, deps);
}

const isModbus = (bus: Bus): bus is ModbusBus => protocolOf(bus) === 'modbus';

function modbusBus({ key, transport }: ModbusBus, deps: BusDeps): BusServer {
  const { faults, log, now, latencyMs } = deps;
  const own: ModbusServerDeps = {
    bus: key,
    transport,
    units: deps.unitsOf(key),
    faults,
    log,
    now,
    latencyMs,
  };
  const server = createModbusServer(own);
  return {
    listen: async ({ host, port }) => ({ host, port: await server.listen(host, port) }),
    close: () => server.close(),
  };
}

async function equipmentBus({ key, protocol }: EquipmentBus, deps: BusDeps): Promise<BusServer> {
  const { faults, log, now, dataDir, latencyMs, passwordOf } = deps;
  const shared = { bus: key, faults, log, now, dataDir: join(dataDir, key) };
  const served = <Table>(read: (id: string) => Table): ServedDevice<Table>[] =>
    deps.devicesOf(key).map((device) => ({
      ...{ key: device.key, address: device.address, quantities: device.quantities },
      table: read(device.template),
    }));
  switch (protocol) {
    case 'bacnet': {
      const { createBacnetServer } = await import('./servers/bacnet.ts');
      const { readBacnetTable } = await import('./tables/bacnet-table.ts');
      return createBacnetServer({ ...shared, devices: served(readBacnetTable) });
    }
    case 'opcua': {
      const { createOpcuaServer } = await import('./servers/opcua.ts');
      const { readOpcuaTable } = await import('./tables/opcua-table.ts');
      return createOpcuaServer({ ...shared, devices: served(readOpcuaTable) });
    }
    case 'dlt645': {
      const { createDlt645Server } = await import('./servers/dlt645.ts');
      const { readDlt645Table } = await import('./tables/dlt645-table.ts');
      return createDlt645Server({ ...shared, latencyMs, devices: served(readDlt645Table) });
    }
    case 'cjt188': {
      const { createCjt188Server } = await import('./servers/cjt188.ts');
      const { readCjt188Table } = await import('./tables/cjt188-table.ts');
      return createCjt188Server({ ...shared, latencyMs, devices: served(readCjt188Table) });
    }
    case 'mqtt': {
      const { createMqttDevices } = await import('./servers/mqtt.ts');
      const { readMqttTable } = await import('./tables/mqtt-table.ts');
      const devices = served(readMqttTable);
      for (const device of devices) passwordOf(device.key); // Refused here rather than when it listens.
      return createMqttDevices({ ...shared, passwordOf, devices });
    }
  }
}

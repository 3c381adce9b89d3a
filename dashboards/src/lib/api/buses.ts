import type { Bus, BusBody } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** The secrets that a bus may have, by the name of its driver's parameter. */
export type BusSecret = 'password';

/** Lines, networks, brokers and servers on which gateways reach devices. A change names the version that it was made on. */
export function createBusApi({ ask, list }: Caller) {
  const at = (id: string) => ({ path: { id } });
  return {
    buses: async (signal?: Signal) => (await ask('listBuses', {}, { signal })).items,
    busesOf: async (gateway: string, signal?: Signal) =>
      (await ask('listBuses', { query: { gateway } }, { signal })).items,
    /** Every device with the bus that it names, whether anybody described that one or not. */
    busUsers: (signal?: Signal) => list('listModelEquipment', {}, { signal }),
    createBus: (body: BusBody) => ask('createBus', { body }),
    /** Secrets are taken away with a change of the address: they were given for that one. */
    changeBus: ({ id, version }: Bus, body: BusBody) => ask('replaceBus', { ...at(id), body }, { version }),
    removeBus: ({ id, version }: Bus) => ask('deleteBus', at(id), { version }),
    setBusSecret: (id: string, name: BusSecret, value: string) =>
      ask('replaceBusSecret', { path: { id, name }, body: { value } }),
    removeBusSecret: (id: string, name: BusSecret) => ask('deleteBusSecret', { path: { id, name } }),
  };
}

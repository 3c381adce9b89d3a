import type { Faults } from '../faults.ts';
import type { Quantities } from '../models/quantities.ts';
import type { BusPlace } from '../ports.ts';
import type { RequestLog } from '../request-log.ts';

/** A device of the park on a bus that is not Modbus. `Table` is how its model shows its quantities on this protocol. */
export interface ServedDevice<Table> {
  /** Key in the park. */
  readonly key: string;
  /** The park file's address of the device, checked by the server. */
  readonly address: unknown;
  readonly table: Table;
  readonly quantities: Quantities;
}

export interface BusServerDeps<Table> {
  readonly bus: string;
  readonly devices: readonly ServedDevice<Table>[];
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly now: () => number;
  /** A folder for what must outlive a restart, such as a server's certificate. */
  readonly dataDir: string;
}

/** One bus with its devices, able to leave the network and come back to its old place. */
export interface BusServer {
  /** @param wanted The place of an earlier start; port 0 for a free one. Rejects when the port is taken. */
  listen(wanted: BusPlace): Promise<BusPlace>;
  /** Off the network; `listen` may follow. Safe when not listening. */
  close(): Promise<void>;
  /** Takes one device of a listening bus off the network, by its key. Absent where devices have no way of their own to it. */
  readonly leave?: (device: string) => Promise<void>;
  /** Puts it back. */
  readonly join?: (device: string) => Promise<void>;
}

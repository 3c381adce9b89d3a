import { DataValue } from 'node-opcua-data-value';
import type { OPCUAServer } from 'node-opcua-server';
import { StatusCodes } from 'node-opcua-status-code';
import type { OpcuaVariable } from '../tables/opcua-table.ts';
import type { Cell } from './opcua-cell.ts';

/** Namespace of everything the simulator shows. */
export const SIM_NAMESPACE = 'urn:parkline:sim';

/** Values of one variable that are kept, the newest. */
const MOST_KEPT = 50_000;

/** When a variable says what it shows, as the faults in force let it. Rejects when the server closes meanwhile. */
export type Answer = (cell: Cell) => Promise<{ readonly t: number; readonly isRefused: boolean }>;

/** Tells a variable what to show. @returns whether it does. */
export type Obey = (cell: Cell, raw: number | boolean) => boolean;

export interface Conduct {
  readonly answer: Answer;
  readonly obey: Obey;
  readonly now: () => number;
}

export interface Furnished {
  readonly root: string;
  readonly own: readonly Cell[];
  /** Filled with the device's cells by node id as text. */
  readonly cells: Map<string, Cell>;
}

type AddressSpace = NonNullable<OPCUAServer['engine']['addressSpace']>;
type Variable = Parameters<AddressSpace['installHistoricalDataNode']>[0];
type Historian = NonNullable<
  NonNullable<Parameters<AddressSpace['installHistoricalDataNode']>[1]>['historian']
>;

/** An object for the device, and below it a variable for each of its cells. */
export function addDevice(server: OPCUAServer, { root, own, cells }: Furnished, conduct: Conduct): void {
  const { addressSpace } = server.engine;
  if (!addressSpace) throw new Error('the server has no address space');
  const namespace = addressSpace.registerNamespace(SIM_NAMESPACE); // The same one for every device.
  const folder = namespace.addObject({
    organizedBy: addressSpace.rootFolder.objects,
    browseName: root,
    nodeId: `s=${root}`,
  });
  for (const cell of own) {
    const { row } = cell;
    const options = {
      componentOf: folder,
      browseName: row.name,
      nodeId: `s=${root}.${row.name}`,
      dataType: row.as,
      minimumSamplingInterval: 50,
      accessLevel: row.writable ? 'CurrentRead | CurrentWrite' : 'CurrentRead',
      userAccessLevel: row.writable === 'all' ? 'CurrentRead | CurrentWrite' : 'CurrentRead',
      value: bindingOf(cell, conduct),
    };
    const variable = row.unit
      ? namespace.addAnalogDataItem({ ...options, ...euOf(row, row.unit) })
      : namespace.addVariable(options);
    if (row.historyMs) keepHistory(addressSpace, variable, cell, row.historyMs, conduct);
    cells.set(variable.nodeId.toString(), cell);
  }
}

function bindingOf(cell: Cell, { answer, obey }: Conduct) {
  return {
    timestamped_get: (done: (error: Error | null, value?: DataValue) => void): void =>
      void answer(cell).then(
        ({ t, isRefused }) => done(null, dataValue(cell, t, isRefused)),
        () => undefined, // Only a server that closes leaves a request without any answer.
      ),
    ...(cell.row.writable && {
      timestamped_set: ({ value }: DataValue) =>
        Promise.resolve(
          obey(cell, value.value as number | boolean) ? StatusCodes.Good : StatusCodes.BadDeviceFailure,
        ),
    }),
  };
}

function dataValue(cell: Cell, t: number, isRefused: boolean): DataValue {
  const sourceTimestamp = new Date(t);
  if (isRefused) return new DataValue({ statusCode: StatusCodes.BadNotReadable, sourceTimestamp });
  const { raw } = cell.show(t);
  if (raw === null) return new DataValue({ statusCode: StatusCodes.BadSensorFailure, sourceTimestamp });
  const value = { dataType: cell.row.as, value: raw };
  return new DataValue({ statusCode: StatusCodes.Good, sourceTimestamp, value });
}

/** Unit ids are the letters of the UN/CEFACT code as bytes (OPC 10000-8 clause 5.6.3). */
function euOf({ as }: OpcuaVariable, { code, text }: NonNullable<OpcuaVariable['unit']>) {
  const unitId = [...code].reduce((id, letter) => id * 256 + letter.charCodeAt(0), 0);
  return {
    dataType: as,
    engineeringUnitsRange: { low: -1e6, high: 1e6 },
    engineeringUnits: {
      unitId,
      displayName: { text },
      description: { text },
      namespaceUri: 'http://www.opcfoundation.org/UA/units/un/cefact',
    },
  };
}

/** The device keeps what it shows at each full step; the model is asked again for what that was. */
function keepHistory(
  addressSpace: AddressSpace,
  variable: Variable,
  cell: Cell,
  stepMs: number,
  { now }: Conduct,
): void {
  const historian: Historian = {
    push: () => Promise.resolve(), // Kept or not does not depend on who asks meanwhile.
    extractDataValues({ startTime, endTime }, most, isReversed, isTurned, done) {
      const last = Math.min(timeOf(endTime) ?? Infinity, now() + 1);
      const first = Math.max(timeOf(startTime) ?? 0, last - MOST_KEPT * stepMs);
      const values: DataValue[] = [];
      for (let t = Math.ceil(first / stepMs) * stepMs; t < last; t += stepMs)
        values.push(dataValue(cell, t, false));
      if (isReversed !== isTurned) values.reverse();
      done(null, most > 0 ? values.slice(0, most) : values);
    },
  };
  addressSpace.installHistoricalDataNode(variable, { historian });
}

/** 1601 is how the protocol says "no time given" (OPC 10000-6 clause 5.2.2.5). */
const timeOf = (date: Date | null | undefined): number | undefined =>
  date && date.getTime() > Date.UTC(1601, 0, 2) ? date.getTime() : undefined;

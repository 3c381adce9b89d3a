import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { deviceFolder } from '../device-table.ts';

/** Data types of OPC 10000-6 clause 5.1.2 that the tables use, with the least and the greatest whole number of each. */
export const dataTypes = {
  Boolean: [0, 1],
  SByte: [-128, 127],
  Byte: [0, 255],
  Int16: [-32_768, 32_767],
  UInt16: [0, 65_535],
  Int32: [-2_147_483_648, 2_147_483_647],
  UInt32: [0, 4_294_967_295],
  Float: [-3.4e38, 3.4e38],
  Double: [-Number.MAX_VALUE, Number.MAX_VALUE],
} as const;
export type DataTypeName = keyof typeof dataTypes;

/** One variable of the device, a child of its root. */
export interface OpcuaVariable {
  /** What follows the root and a dot in its node id; also its browse name. */
  readonly name: string;
  readonly as: DataTypeName;
  readonly quantity: string;
  /** Unit of the quantity per raw digit. */
  readonly weight: number;
  /** Decimals of the raw value that a Float or Double shows. */
  readonly digits: number;
  /** Who may write it: every client, or (others) nobody who logs in here. Nobody at all when absent. */
  readonly writable?: 'all' | 'others';
  /** What is written is moved into [least, greatest], in raw digits, as controllers do that know their limits. */
  readonly moveInto?: readonly [least: number, greatest: number];
  /** The device keeps its value this often, ms. No history when absent. */
  readonly historyMs?: number;
  /** EUInformation: the UN/CEFACT code, 'KWT', and what is shown, 'kW'. */
  readonly unit?: { readonly code: string; readonly text: string };
}

/** How one model of device shows itself on OPC UA. */
export interface OpcuaTable {
  readonly device: string;
  readonly variables: readonly OpcuaVariable[];
}

interface RawTable {
  device: string;
  protocol: string;
  variables: (Omit<OpcuaVariable, 'weight' | 'digits'> & { weight?: number; digits?: number })[];
}

/** @param id `<kind>/<vendor>-<model>`. @throws Error naming the file and its faults. */
export function readOpcuaTable(id: string, folder = deviceFolder): OpcuaTable {
  return parseOpcuaTable(readFileSync(join(folder, `${id}.yaml`), 'utf8'), id);
}

export function parseOpcuaTable(text: string, id: string): OpcuaTable {
  const raw = parse(text) as RawTable;
  const variables = raw.variables.map(({ weight = 1, digits = 3, ...row }) => ({ ...row, weight, digits }));
  const faults = raw.protocol === 'opcua' ? [] : [`protocol is ${String(raw.protocol)}, not opcua`];
  faults.push(...variables.flatMap(variableFaults), ...repeated(variables));
  if (faults.length > 0) throw new Error(`device table ${id}: ${faults.join('; ')}`);
  return { device: raw.device, variables };
}

function variableFaults(row: OpcuaVariable): string[] {
  const { name, as, quantity, weight, digits, writable, moveInto, historyMs, unit } = row;
  const faults: string[] = [];
  if (!name) faults.push(`${quantity}: a variable without a name`);
  if (!Object.hasOwn(dataTypes, as)) faults.push(`${quantity}: no data type ${String(as)}`);
  if (!(weight > 0)) faults.push(`${quantity}: weight ${weight}`);
  if (!Number.isInteger(digits) || digits < 0 || digits > 15) faults.push(`${quantity}: digits ${digits}`);
  if (writable !== undefined && !['all', 'others'].includes(writable))
    faults.push(`${quantity}: writable is all or others`);
  if (moveInto && !(moveInto[0] <= moveInto[1])) faults.push(`${quantity}: moveInto ${moveInto.join('..')}`);
  if (historyMs !== undefined && !(historyMs >= 1)) faults.push(`${quantity}: historyMs ${historyMs}`);
  if (unit && !/^[A-Z0-9]{2,3}$/.test(unit.code)) faults.push(`${quantity}: no unit code ${unit.code}`);
  return faults;
}

function repeated(variables: readonly OpcuaVariable[]): string[] {
  return variables.flatMap(({ name, quantity }, index) =>
    variables
      .slice(0, index)
      .flatMap((before) => [
        ...(before.name === name ? [`two variables ${name}`] : []),
        ...(before.quantity === quantity ? [`two variables show ${quantity}`] : []),
      ]),
  );
}

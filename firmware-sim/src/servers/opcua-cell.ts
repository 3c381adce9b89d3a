import type { ServedDevice } from './bus-server.ts';
import { dataTypes, type OpcuaTable, type OpcuaVariable } from '../tables/opcua-table.ts';
import { shortestFloat32 } from '../words.ts';

/** What a variable shows at one instant; null where the device has no value. */
export interface Shown {
  readonly raw: number | boolean | null;
  /** In the unit of the quantity, as the variable shows it. */
  readonly value: number | null;
}

/** One variable of one device. */
export interface Cell {
  /** Key of the device in the park. */
  readonly device: string;
  readonly row: OpcuaVariable;
  /** At Unix ms `t`. */
  show(t: number): Shown;
  /** From Unix ms `t` on it shows this, whatever its model says. */
  override(raw: number | boolean, t: number): void;
  /** What its raw digit, as a client got it, means in the unit of the quantity. */
  valueOf(raw: unknown): number | null;
}

/** @throws Error when the table shows a quantity that the device's model does not have. */
export function createCells({ key, table, quantities }: ServedDevice<OpcuaTable>): Cell[] {
  return table.variables.map((row) => {
    const quantity = quantities.get(row.quantity);
    if (!quantity) throw new Error(`${key}: the model has no ${row.quantity}, which its table shows`);
    const valueOf = (raw: unknown): number | null => inUnit(row, raw);
    const written: { readonly raw: number | boolean; readonly t: number }[] = [];
    return {
      device: key,
      row,
      valueOf,
      show: (t) => {
        const raw = written.findLast((one) => one.t <= t)?.raw ?? toRaw(row, quantity(t));
        return { raw, value: valueOf(raw) };
      },
      override: (raw, t) => void written.push({ raw: movedInto(row, raw), t }),
    };
  });
}

/** A whole number keeps within its type; a Float is the float32 nearest to the rounded value. */
function toRaw({ as, weight, digits }: OpcuaVariable, value: number): number | boolean | null {
  if (!Number.isFinite(value)) return null;
  const exact = value / weight;
  if (as === 'Boolean') return Math.round(exact) !== 0;
  if (as === 'Float') return shortestFloat32(Number(exact.toFixed(digits)));
  if (as === 'Double') return Number(exact.toFixed(digits));
  const [least, greatest] = dataTypes[as];
  return Math.min(greatest, Math.max(least, Math.round(exact))) + 0; // -0 is no whole number to a reader of the log.
}

const movedInto = ({ moveInto }: OpcuaVariable, raw: number | boolean): number | boolean =>
  moveInto && typeof raw === 'number' ? Math.min(moveInto[1], Math.max(moveInto[0], raw)) : raw;

function inUnit({ as, weight }: OpcuaVariable, raw: unknown): number | null {
  if (typeof raw === 'boolean') return raw ? 1 : 0;
  if (typeof raw !== 'number') return null;
  return Number(((as === 'Float' ? shortestFloat32(raw) : raw) * weight).toPrecision(15));
}

/** What a device or its line can do wrong. `ms` counts from the request. */
export type FaultKind =
  /** Answers after `ms`, and the line waits for it. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Answers after `ms` while the line goes on: the answer meets a later request. */
  | { readonly kind: 'late'; readonly ms: number }
  /** `hex`, or 16 bytes of noise, in place of the answer. */
  | { readonly kind: 'garbage'; readonly hex?: string }
  | { readonly kind: 'exception'; readonly code: number }
  | { readonly kind: 'silence' }
  /** Answers in the name of another unit. */
  | { readonly kind: 'wrong-unit'; readonly unit: number }
  /** Hangs up in place of the answer. */
  | { readonly kind: 'close' }
  /** Refuses the point in the protocol's own words. Not Modbus, which has 'exception'. */
  | { readonly kind: 'refuse' };

export interface FaultRule {
  readonly bus: string;
  /** Any unit of the bus when absent. */
  readonly unit?: number;
  /** Key of a device, on a bus where units have no numbers. Any device when absent. */
  readonly device?: string;
  /** Quantity of that device; any when absent. */
  readonly quantity?: string;
  /** Only requests that touch these registers, both ends included. */
  readonly addr?: readonly [number, number];
  /** Strikes this many requests, then never again; for ever when absent. */
  readonly times?: number;
  readonly fault: FaultKind;
}

/** A request: of registers on a Modbus bus, of a device's quantities on any other. */
export type FaultTarget =
  | { readonly bus: string; readonly unit: number; readonly addr: number; readonly count: number }
  | { readonly bus: string; readonly device: string; readonly quantity?: string };

/** The faults in force. The latest rule that fits a request strikes it. */
export interface Faults {
  /** @returns a number that names the rule. */
  set(rule: FaultRule): number;
  /** Ends one rule, those of a bus, or all. @returns how many ended. */
  clear(which?: { readonly id?: number; readonly bus?: string }): number;
  strike(target: FaultTarget): FaultKind | undefined;
}

export function createFaults(): Faults {
  let nextId = 1;
  const rules: { id: number; rule: FaultRule; left: number }[] = [];

  return {
    set(rule) {
      rules.unshift({ id: nextId, rule, left: rule.times ?? Infinity });
      return nextId++;
    },
    clear({ id, bus } = {}) {
      const gone = rules.filter(
        (r) => (id === undefined || r.id === id) && (bus === undefined || r.rule.bus === bus),
      );
      for (const rule of gone) rules.splice(rules.indexOf(rule), 1);
      return gone.length;
    },
    strike(target) {
      const found = rules.find(({ rule }) => fits(rule, target));
      if (!found) return undefined;
      found.left -= 1;
      if (found.left <= 0) rules.splice(rules.indexOf(found), 1);
      return found.rule.fault;
    },
  };
}

function fits({ bus, unit, addr, device, quantity }: FaultRule, target: FaultTarget): boolean {
  if (bus !== target.bus) return false;
  if ('device' in target) {
    const isDevice = device === undefined || device === target.device;
    return isDevice && (quantity === undefined || quantity === target.quantity);
  }
  if (unit !== undefined && unit !== target.unit) return false;
  return addr === undefined || (target.addr <= addr[1] && target.addr + target.count > addr[0]);
}

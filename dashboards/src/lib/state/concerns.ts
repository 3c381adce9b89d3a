import type { Equipment, Fault } from '@parkline/contract';
import { byGravity } from './faults.svelte.ts';
import type { Trouble } from './trouble.ts';

/** One row of what is wrong: a fault that a rule is sure of, or a trouble that no rule has told of (yet). */
export type Concern =
  | { readonly key: string; readonly buildingId: string; readonly fault: Fault; readonly trouble?: never }
  | { readonly key: string; readonly buildingId: string; readonly trouble: Trouble; readonly fault?: never };

export const severityOf = ({ fault, trouble }: Concern): Fault['severity'] => (fault ?? trouble).severity;
/** What nobody knows the beginning of comes last among its equals. */
const never = '9999-12-31T00:00:00.000Z';
const since = ({ fault, trouble }: Concern): string =>
  fault ? fault.openedAt : trouble.since === null ? never : new Date(trouble.since).toISOString();

/**
 * Faults and troubles as one list, the gravest and longest first. What a fault tells of the same gateway or device is
 * not told again; a building where no device answers is told by its devices' faults once each has one.
 */
export function findConcerns(
  faults: readonly Fault[],
  troubles: readonly Trouble[],
  devices: readonly Equipment[],
): Concern[] {
  const told = new Set(faults.flatMap(({ equipmentId, gatewayId }) => [equipmentId, gatewayId]));
  const isTold = (trouble: Trouble): boolean => {
    if (trouble.kind === 'gatewayOffline' || trouble.kind === 'gatewayNever')
      return told.has(trouble.gatewayId);
    if (trouble.equipmentId) return told.has(trouble.equipmentId);
    const inside = devices.filter(({ buildingId }) => buildingId === trouble.buildingId);
    return inside.every(({ id, gatewayId }) => told.has(id) || told.has(gatewayId));
  };
  const concerns: Concern[] = [
    ...faults.map((fault) => ({ key: fault.id, buildingId: fault.buildingId, fault })),
    ...troubles
      .filter((trouble) => !isTold(trouble))
      .map((trouble) => ({ key: trouble.key, buildingId: trouble.buildingId, trouble })),
  ];
  const rank = (concern: Concern) => ({ severity: severityOf(concern), openedAt: since(concern) });
  return concerns.sort((a, b) => byGravity(rank(a), rank(b)));
}

import type { Skill } from '@parkline/contract';

export interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly skills: readonly string[];
  /** Ids of buildings and floors; empty: everywhere. */
  readonly areas: readonly string[];
  /** Orders that this person has and has not finished. */
  readonly openOrders: number;
}

export interface Wanted {
  readonly skill: Skill;
  readonly buildingId: string | null;
  readonly floorId: string | null;
}

/** Why an order went where it went: what the choice was made of. Words are made from it when somebody reads it. */
export type DispatchReason =
  | {
      readonly how: 'fits';
      /** What ties the technician to the place. */
      readonly by: Fit;
      readonly name: string;
      readonly openOrders: number;
      /** How many fit. */
      readonly among: number;
    }
  | {
      /** Nobody of this skill works there, so one from elsewhere. */
      readonly how: 'elsewhere';
      readonly name: string;
      readonly openOrders: number;
      readonly among: number;
    }
  | { readonly how: 'nobody' }
  | { readonly how: 'person'; readonly name: string; readonly person: string }
  | { readonly how: 'taken'; readonly name: string };

export type Fit = 'floor' | 'building' | 'park';

export interface Choice {
  readonly technicianId: string | null;
  readonly reason: DispatchReason;
}

const fits: readonly Fit[] = ['floor', 'building', 'park'];

/** How a technician's area covers the place; undefined: not at all. Pure. */
export function fitOf({ areas }: Candidate, { buildingId, floorId }: Wanted): Fit | undefined {
  if (floorId !== null && areas.includes(floorId)) return 'floor';
  if (buildingId !== null && areas.includes(buildingId)) return 'building';
  return areas.length === 0 ? 'park' : undefined;
}

/**
 * The technician for an order: skill and area must fit, then the fewest open orders decide, then the narrower area, then the
 * order of the list. Without anybody of the area one from elsewhere; without the skill nobody. Pure.
 */
export function choose(candidates: readonly Candidate[], wanted: Wanted): Choice {
  const skilled = candidates.filter(({ skills }) => skills.includes(wanted.skill));
  const near = skilled.flatMap((one) => {
    const by = fitOf(one, wanted);
    return by ? [{ ...one, by }] : [];
  });
  const byLoad = (a: Candidate, b: Candidate): number => a.openOrders - b.openOrders;

  const [best] = near.toSorted((a, b) => byLoad(a, b) || fits.indexOf(a.by) - fits.indexOf(b.by));
  if (best) {
    const { id, name, by, openOrders } = best;
    return { technicianId: id, reason: { how: 'fits', by, name, openOrders, among: near.length } };
  }
  const [other] = skilled.toSorted(byLoad);
  if (!other) return { technicianId: null, reason: { how: 'nobody' } };
  const { id, name, openOrders } = other;
  return { technicianId: id, reason: { how: 'elsewhere', name, openOrders, among: skilled.length } };
}

import type { Lease, Scenario } from './scenario.ts';

/** Who answers for a space at an instant. */
export interface Owner {
  readonly participant: string;
  readonly headcount: number;
  /** Vacant space belongs to the landlord; occupied means that its lease has heads. */
  readonly state: 'vacant' | 'leased' | 'occupied';
}

/** The lease that holds a space at an instant (Unix ms), else the landlord. */
export function createOwnership({ leases, landlord }: Scenario): (space: string, at: number) => Owner {
  const bySpace = Map.groupBy(leases, ({ space }) => space);
  const owners = new Map(leases.map((lease) => [lease, createOwner(lease)]));
  const vacant: Owner = { participant: landlord, headcount: 0, state: 'vacant' };
  return (space, at) => {
    const lease = bySpace.get(space)?.find(({ from, to }) => from <= at && at < (to ?? Infinity));
    return lease ? owners.get(lease)! : vacant;
  };
}

function createOwner({ tenant, headcount }: Lease): Owner {
  return { participant: tenant, headcount, state: headcount > 0 ? 'occupied' : 'leased' };
}

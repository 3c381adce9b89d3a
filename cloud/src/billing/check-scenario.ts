import { createGrid, type Fault, formatLocal, toUnits } from '../metering/index.ts';
import { checkInstallations } from './check-installations.ts';
import { overlap, scenarioFault } from './faults.ts';
import type { ScenarioParts } from './read-scenario.ts';
import { type AllocationRule, COMPUTED_POOLS, RESERVED, type Scenario, type ShareRule } from './scenario.ts';
import { createSchedule } from './schedule.ts';

/** Every way in which fields that are right by themselves do not fit together. Parts that could not be read are skipped. */
export function checkScenario(parts: ScenarioParts): Fault[] {
  return [
    ...checkIds(parts),
    ...checkUsagePoints(parts),
    ...checkInstallations(parts),
    ...checkPeople(parts),
    ...checkLeaseOverlap(parts),
    ...checkTariff(parts),
    ...checkAllocation(parts),
  ];
}

export function isScenario(parts: ScenarioParts): parts is Scenario {
  return Object.values(parts).every((part) => part !== undefined);
}

function checkIds(parts: ScenarioParts): Fault[] {
  const lists: [string, readonly string[] | undefined, string][] = [
    ['usage_points', parts.usagePoints?.map(({ id }) => id), '.id'],
    ['meters', parts.meters?.map(({ id }) => id), '.id'],
    ['spaces', parts.spaces?.map(({ id }) => id), '.id'],
    ['participant_order', parts.participants, ''],
    ['allocation', parts.allocation?.map(({ pool }) => pool), '.pool'],
    ['tariff.versions', parts.tariff?.versions.map(({ id }) => id), '.id'],
  ];
  return lists.flatMap(([name, ids = [], suffix]) =>
    ids.flatMap((id, index) =>
      ids.indexOf(id) < index ? [scenarioFault(`${name}[${index}]${suffix}`, `${id} is there twice`)] : [],
    ),
  );
}

function checkUsagePoints({ usagePoints, spaces }: ScenarioParts): Fault[] {
  if (!usagePoints) return [];
  const faults = usagePoints.flatMap(({ parent, space }, index) => {
    const path = `usage_points[${index}]`;
    const found: Fault[] = [];
    if (parent !== null && !usagePoints.some(({ id }) => id === parent))
      found.push(scenarioFault(`${path}.parent`, `no usage point ${parent}`));
    else if (isLoop(usagePoints, index)) found.push(scenarioFault(`${path}.parent`, 'leads back to itself'));
    if (space !== null && spaces && !spaces.some(({ id }) => id === space))
      found.push(scenarioFault(`${path}.space`, `no space ${space}`));
    return found;
  });
  const supplies = usagePoints.filter(({ role }) => role === 'supply').length;
  if (supplies !== 1)
    faults.push(scenarioFault('usage_points', `must have one of role supply, not ${supplies}`));
  return faults;
}

function isLoop(usagePoints: Scenario['usagePoints'], start: number): boolean {
  let at = usagePoints[start];
  for (let steps = 0; at?.parent != null; steps += 1) {
    if (steps > usagePoints.length) return true;
    const { parent } = at;
    at = usagePoints.find(({ id }) => id === parent);
  }
  return false;
}

function checkPeople({ participants, landlord, leases, spaces }: ScenarioParts): Fault[] {
  const faults: Fault[] = [];
  if (participants && landlord !== undefined && !participants.includes(landlord))
    faults.push(scenarioFault('landlord', `${landlord} is not in participant_order`));
  leases?.forEach(({ tenant, space }, index) => {
    if (participants && !participants.includes(tenant))
      faults.push(scenarioFault(`leases[${index}].tenant`, `${tenant} is not in participant_order`));
    if (spaces && !spaces.some(({ id }) => id === space))
      faults.push(scenarioFault(`leases[${index}].space`, `no space ${space}`));
  });
  return faults;
}

function checkLeaseOverlap({ leases = [] }: ScenarioParts): Fault[] {
  return leases.flatMap((lease, index) => {
    const other = leases.findIndex(
      (before, at) => at < index && before.space === lease.space && overlap(before, lease),
    );
    return other < 0
      ? []
      : [scenarioFault(`leases[${index}].from`, `overlaps leases[${other}] of space ${lease.space}`)];
  });
}

function checkTariff({ tariff, period, calendar }: ScenarioParts): Fault[] {
  if (!tariff) return [];
  const faults: Fault[] = [];
  const [first] = tariff.versions;
  if (!first) faults.push(scenarioFault('tariff.versions', 'must have at least one'));
  else if (period && calendar && first.from > period.start)
    faults.push(
      scenarioFault(
        'tariff.versions',
        `no price before ${formatLocal(first.from, calendar.timezone)} (${first.id})`,
      ),
    );
  tariff.versions.forEach(({ id, from }, index) => {
    if (tariff.versions[index - 1]?.from === from)
      faults.push(scenarioFault('tariff.versions', `${id} starts at the same instant as another`));
  });
  if (faults.length > 0 || !period || !calendar) return faults;
  const grid = createGrid(period.from, period.to, period.intervalMs, calendar);
  return createSchedule(tariff, grid, { first: 0, last: grid.count }).faults;
}

function checkAllocation({ allocation, usagePoints, tariff, participants }: ScenarioParts): Fault[] {
  if (!allocation) return [];
  const common = usagePoints?.filter(({ role }) => role === 'common').map(({ id }) => id);
  const wanted: string[] = [...(common ?? []), 'loss'];
  if (tariff?.capacityCharge) wanted.push('demand');
  if (tariff?.powerFactorRate) wanted.push('power_factor');
  const faults = wanted
    .filter((pool) => !allocation.some((rule) => rule.pool === pool))
    .map((pool) => scenarioFault('allocation', `no rule for pool ${pool}`));
  allocation.forEach((rule, index) => {
    const path = `allocation[${index}]`;
    faults.push(...checkPool(rule, path, common, tariff), ...checkShare(rule.share, path, participants));
  });
  for (const pool of common ?? [])
    if ([...RESERVED, ...COMPUTED_POOLS].some((name) => name === pool))
      faults.push(scenarioFault('usage_points', `${pool} cannot be the name of a common usage point`));
  return faults;
}

function checkPool(
  { pool }: AllocationRule,
  path: string,
  common: readonly string[] | undefined,
  tariff: Scenario['tariff'] | undefined,
): Fault[] {
  if (common && ![...common, ...COMPUTED_POOLS].includes(pool))
    return [scenarioFault(`${path}.pool`, `no common usage point and no computed pool ${pool}`)];
  if (pool === 'demand' && tariff && !tariff.capacityCharge)
    return [scenarioFault('tariff.demand', 'is missing, but allocation has the pool demand')];
  if (pool === 'power_factor' && tariff && !tariff.powerFactorRate)
    return [
      scenarioFault('tariff.power_factor_adjustment', 'is missing, but allocation has the pool power_factor'),
    ];
  return [];
}

function checkShare(share: ShareRule, path: string, participants: readonly string[] | undefined): Fault[] {
  const weights = [...(share.weights ?? [])];
  const faults = weights
    .filter(([name]) => participants && !participants.includes(name))
    .map(([name]) => scenarioFault(`${path}.weights.${name}`, `${name} is not in participant_order`));
  if (share.weights && weights.every(([, weight]) => toUnits(weight, 60) === 0n))
    faults.push(scenarioFault(`${path}.weights`, 'must not all be zero'));
  return [
    ...faults,
    ...share.parts.flatMap((part, index) => checkShare(part.share, `${path}.parts[${index}]`, participants)),
  ];
}

import type { Unit } from '@parkline/contract';
import { servedBy, type Served } from './causes.ts';
import type { Rule } from './rule-schema.ts';
import { looksAt, pointKeys, type Rules } from './rules.ts';

export interface PlannedPoint {
  readonly id: string;
  /** Names it among the latest values. */
  readonly num: number;
  readonly key: string;
  readonly unit: Unit;
  readonly decimals: number;
  /** Engineering value of one count; 1 for gauges and states. */
  readonly resolution: number;
  readonly staleAfterMs: number;
}

export interface PlannedEquipment {
  readonly id: string;
  readonly kind: string;
  readonly gatewayId: string;
  readonly buildingId: string;
  readonly floorId: string | null;
  readonly serves: readonly string[];
  readonly points: readonly PlannedPoint[];
}

export interface PlannedGateway {
  readonly id: string;
  readonly buildingId: string;
}

/** A rule on one subject, with the points it reads there. */
export interface Watch {
  readonly rule: Rule;
  readonly subjectId: string;
  readonly equipmentId: string | null;
  readonly gatewayId: string;
  readonly buildingId: string;
  readonly floorId: string | null;
  readonly points: ReadonlyMap<string, PlannedPoint>;
}

/** What is looked at every second, worked out once for as long as the park stays the same. */
export interface Plan {
  readonly watches: readonly Watch[];
  /** Numbers of the points that some rule reads. */
  readonly nums: readonly number[];
  readonly served: Served;
}

/** Ties rules to what there is. A device that lacks a role of a rule is not looked at by it. Pure. */
export function makePlan(
  rules: Rules,
  equipment: readonly PlannedEquipment[],
  gateways: readonly PlannedGateway[],
): Plan {
  const watches = [...rules.values()].flatMap((rule) =>
    isOfGateways(rule)
      ? gateways.map((gateway) => watchGateway(rule, gateway))
      : equipment.flatMap((one) => watchEquipment(rule, one) ?? []),
  );
  const nums = new Set(watches.flatMap(({ points }) => [...points.values()].map(({ num }) => num)));
  return { watches, nums: [...nums].sort((a, b) => a - b), served: servedBy(equipment) };
}

const isOfGateways = (rule: Rule): boolean =>
  rule.kind === 'filling' || rule.kind === 'clock' || (rule.kind === 'no-data' && rule.of === 'gateway');

const watchGateway = (rule: Rule, { id, buildingId }: PlannedGateway): Watch => ({
  ...{ rule, subjectId: id, equipmentId: null, gatewayId: id, buildingId, floorId: null },
  points: new Map(),
});

function watchEquipment(rule: Rule, equipment: PlannedEquipment): Watch | undefined {
  if (!looksAt(rule, equipment.kind)) return undefined;
  const byKey = new Map(equipment.points.map((point) => [point.key, point]));
  const keys = pointKeys(rule);
  const there = keys.filter((key) => byKey.has(key));
  // Of a step-back rule a device has one register: another one's value would look like a fall.
  const wanted = rule.kind === 'step-back' ? there.slice(0, 1) : keys;
  const needed = rule.kind === 'step-back' ? 1 : keys.length;
  if (wanted.filter((key) => byKey.has(key)).length < needed) return undefined;
  const { id, gatewayId, buildingId, floorId } = equipment;
  const points = new Map(wanted.map((key) => [key, byKey.get(key)!]));
  return { rule, subjectId: id, equipmentId: id, gatewayId, buildingId, floorId, points };
}

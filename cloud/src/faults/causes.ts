import type { Rules } from './rules.ts';

/** A fault as grouping sees it. */
export interface Cause {
  readonly id: string;
  readonly rule: string;
  readonly subjectId: string;
  /** Set: it is itself a consequence of that fault. */
  readonly causeId: string | null;
}

export interface Candidate {
  readonly rule: string;
  readonly subjectId: string;
}

/** What a piece of equipment works for, directly or through others. */
export type Served = ReadonlyMap<string, ReadonlySet<string>>;

/** Whether `cause` makes `candidate` a consequence: its rule says so, on the same equipment or on what it serves. Pure. */
export function explains(rules: Rules, served: Served, cause: Candidate, candidate: Candidate): boolean {
  const named = rules.get(cause.rule)?.explains;
  if (cause.subjectId === candidate.subjectId) return named?.same?.includes(candidate.rule) ?? false;
  if (!named?.served?.includes(candidate.rule)) return false;
  return served.get(cause.subjectId)?.has(candidate.subjectId) ?? false;
}

/**
 * Groups faults that open together under those that explain them: `known` ones, or one another. Always under the outermost,
 * so that groups are one level deep. That there is one is sure, because no chain of rules explains itself. Pure.
 */
export function grouped(
  rules: Rules,
  served: Served,
  known: readonly Cause[],
  fresh: readonly Cause[],
): Cause[] {
  const all = [...known, ...fresh];
  const above = (one: Cause): Cause | undefined =>
    one.causeId === null
      ? all.find((other) => other.id !== one.id && explains(rules, served, other, one))
      : all.find(({ id }) => id === one.causeId);
  const outermost = (one: Cause): Cause => {
    const next = above(one);
    return next ? outermost(next) : one;
  };
  return fresh.map((one) => {
    const top = outermost(one);
    return { ...one, causeId: top === one ? null : (top.causeId ?? top.id) };
  });
}

export interface Servant {
  readonly id: string;
  readonly floorId: string | null;
  /** Ids of floors, spaces or equipment that it works for. */
  readonly serves: readonly string[];
}

/**
 * Who serves whom: what stands on a floor that is served, what is named, and what itself serves a part of the same places
 * (the chiller of the building serves the air handling unit of three of its floors); through any number of steps. Pure.
 */
export function servedBy(equipment: readonly Servant[]): Served {
  const served = new Map<string, ReadonlySet<string>>();
  for (const one of equipment) {
    if (one.serves.length === 0) continue;
    const places = new Set(one.serves);
    const found = equipment.filter(
      (other) =>
        other.id !== one.id &&
        (places.has(other.id) ||
          (other.floorId !== null && places.has(other.floorId)) ||
          isPart(other, places)),
    );
    served.set(one.id, new Set(found.map(({ id }) => id)));
  }
  for (const [id, direct] of served) {
    const all = new Set(direct);
    // A set hands out what is added while it is walked: every step further is taken once.
    for (const other of all)
      for (const further of served.get(other) ?? []) if (further !== id) all.add(further);
    served.set(id, all);
  }
  return served;
}

const isPart = ({ serves }: Servant, places: ReadonlySet<string>): boolean =>
  serves.length > 0 && serves.length < places.size && serves.every((place) => places.has(place));

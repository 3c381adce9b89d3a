import type { PlanMarks } from '@parkline/contract';

/** A place on a plan: 0,0 is its upper left corner, 1,1 its lower right. */
export type Place = [number, number];

/** Inside the plan, in steps of a hundredth of a per cent: what a hand can mean. Pure. */
export const settled = ([x, y]: readonly [number, number]): Place => [share(x), share(y)];

const share = (part: number): number => Math.round(Math.min(1, Math.max(0, part)) * 10_000) / 10_000;

/** Puts a device somewhere, or takes it off. Pure. */
export const withDevice = (marks: PlanMarks, equipmentId: string, at: Place | undefined): PlanMarks => {
  const others = marks.devices.filter((one) => one.equipmentId !== equipmentId);
  return { ...marks, devices: at ? [...others, { equipmentId, at: settled(at) }] : others };
};

/** Gives a space its outline, or takes it off. Pure. */
export const withSpace = (
  marks: PlanMarks,
  spaceId: string,
  ring: readonly Place[] | undefined,
): PlanMarks => {
  const others = marks.spaces.filter((one) => one.spaceId !== spaceId);
  return { ...marks, spaces: ring ? [...others, { spaceId, ring: ring.map(settled) }] : others };
};

/** `10 20; 30 20; 30 40` in per cent. Pure. */
export const ringText = (ring: readonly Place[]): string =>
  ring.map((place) => place.map((part) => percent(part)).join(' ')).join('; ');

export const percent = (part: number): string => String(Math.round(part * 10_000) / 100);

/** Undefined: these are not three corners or more inside of the plan. Pure. */
export function ringOf(text: string): Place[] | undefined {
  const places = text
    .split(/[;；\n]/)
    .map((pair) => pair.trim())
    .filter(Boolean)
    .map((pair) => pair.split(/[\s,，]+/).map((part) => Number(part) / 100));
  const isSound = places.every(
    (place) => place.length === 2 && place.every((part) => part >= 0 && part <= 1),
  );
  return isSound && places.length >= 3 ? places.map((place) => settled(place as Place)) : undefined;
}

/** A square in the middle, to be dragged where it belongs. */
export const firstRing: readonly Place[] = [
  [0.4, 0.4],
  [0.6, 0.4],
  [0.6, 0.6],
  [0.4, 0.6],
];

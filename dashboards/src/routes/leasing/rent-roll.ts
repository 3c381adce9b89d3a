import type { Space, SpaceKind, SpaceState } from '@parkline/contract';
import type { Tone } from '#lib/ui/StatusBadge.svelte';

export const stateTones: Readonly<Record<SpaceState, Tone>> = {
  vacant: 'notice',
  intent: 'manual',
  leased: 'ok',
  fit_out: 'warning',
  locked: 'stale',
};

const lettable: readonly SpaceKind[] = ['unit', 'workstation', 'parking', 'storage'];
export const isLettable = ({ kind }: Pick<Space, 'kind'>): boolean => lettable.includes(kind);

/** How much of what can be let is let today, in square metres. Pure. */
export function letArea(spaces: readonly Pick<Space, 'kind' | 'areaM2' | 'tenantId'>[]): {
  readonly all: number;
  readonly leased: number;
  readonly percent: number;
} {
  const sum = (some: typeof spaces): number =>
    Math.round(some.reduce((total, { areaM2 }) => total + areaM2 * 100, 0)) / 100;
  const offered = spaces.filter(isLettable);
  const all = sum(offered);
  const leased = sum(offered.filter(({ tenantId }) => tenantId !== null));
  return { all, leased, percent: all > 0 ? Math.round((leased / all) * 100) : 0 };
}

/** Whether a space or its tenant is called so. Pure. */
export const isFound = ({ name, tenantName }: Space, wanted: string): boolean =>
  [name, tenantName ?? ''].some((one) => one.toLowerCase().includes(wanted.trim().toLowerCase()));

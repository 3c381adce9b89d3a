import type { Role } from '@parkline/contract';

/** The parts of the portal, each for the daily work of one role; `admin` is for all who keep something in order. */
export const areas = [
  'engineer',
  'supervisor',
  'technician',
  'tenant',
  'finance',
  'leasing',
  'installer',
  'guard',
  'executive',
  'admin',
] as const;
export type Area = (typeof areas)[number];

/** The areas of each role; the first is where it starts its day. */
const areasByRole: Record<Role, readonly Area[]> = {
  facility_engineer: ['engineer', 'admin'],
  technician: ['technician'],
  supervisor: ['supervisor'],
  tenant_admin: ['tenant', 'admin'],
  tenant_employee: ['tenant'],
  finance_officer: ['finance'],
  leasing_officer: ['leasing', 'admin'],
  guard: ['guard'],
  executive: ['executive'],
  installer: ['installer', 'admin'],
  account_admin: ['admin', 'engineer', 'supervisor', 'finance', 'leasing'],
};

/** Every area that somebody with these roles may enter, in the order of {@link areas}. */
export const areasOf = (roles: readonly Role[]): Area[] =>
  areas.filter((area) => roles.some((role) => areasByRole[role].includes(area)));

/** The area of the first role. Undefined for nobody. */
export function startAreaOf([role]: readonly Role[]): Area | undefined {
  return role && areasByRole[role][0];
}

/** Which area a path belongs to; undefined outside of all. */
export const areaOfPath = (path: string): Area | undefined =>
  areas.find((area) => area === path.split('/')[1]);

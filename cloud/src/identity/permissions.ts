import type { Role } from '@parkline/contract';

/** What each role may do: `<kind of thing>.<act>`. A right that no role holds exists for nobody. */
const granted = {
  facility_engineer: ['place.read', 'gateway.read', 'equipment.read', 'point.read', 'reading.read'],
  account_admin: ['place.read', 'gateway.read', 'equipment.read', 'point.read', 'reading.read'],
} as const satisfies Record<Role, readonly string[]>;

export type Permission = (typeof granted)[Role][number];

/** Every permission that some role grants. */
export const allPermissions: ReadonlySet<string> = new Set<string>(Object.values(granted).flat());

/** The union of what the roles grant; a role we do not know grants nothing. */
export const permissionsOf = (roles: readonly string[]): ReadonlySet<Permission> =>
  new Set(roles.flatMap((role) => (Object.hasOwn(granted, role) ? granted[role as Role] : [])));

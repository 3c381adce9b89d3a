import type { Role } from '@parkline/contract';

const looking = ['place.read', 'equipment.read', 'point.read'] as const;
const fieldWork = [...looking, 'fault.read', 'workorder.read', 'workorder.work'] as const;

const commanding = ['command.read', 'command.write', 'command.approve'] as const;

/** What each role may do: `<kind of thing>.<act>`. A right that no role holds exists for nobody. */
const granted = {
  facility_engineer: [
    ...looking,
    ...commanding,
    'gateway.read',
    'reading.read',
    'fault.read',
    'fault.acknowledge',
    'rule.write',
    'workorder.read',
  ],
  technician: fieldWork,
  supervisor: [
    ...fieldWork,
    'fault.acknowledge',
    'workorder.dispatch',
    'workorder.cancel',
    'setting.write',
    'command.read',
    'command.approve',
  ],
  // Own use and own places only: which are its own is decided by the policies of the database.
  tenant_admin: ['my.usage', 'place.read'],
  finance_officer: [...looking, 'reading.read', 'billing.read', 'tenancy.read'],
  account_admin: [
    ...looking,
    ...commanding,
    'gateway.read',
    'reading.read',
    'fault.read',
    'fault.acknowledge',
    'rule.write',
    'workorder.read',
    'workorder.dispatch',
    'workorder.cancel',
    'setting.write',
    'billing.read',
    'tenancy.read',
  ],
} as const satisfies Record<Role, readonly string[]>;

export type Permission = (typeof granted)[Role][number];

/** Every permission that some role grants. */
export const allPermissions: ReadonlySet<string> = new Set<string>(Object.values(granted).flat());

/** The union of what the roles grant; a role we do not know grants nothing. */
export const permissionsOf = (roles: readonly string[]): ReadonlySet<Permission> =>
  new Set(roles.flatMap((role) => (Object.hasOwn(granted, role) ? granted[role as Role] : [])));

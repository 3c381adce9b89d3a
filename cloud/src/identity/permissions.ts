import type { Role } from '@parkline/contract';
import type { Permissions } from '../platform/access.ts';

const looking = ['place.read', 'equipment.read', 'point.read'] as const;
const fieldWork = [...looking, 'fault.read', 'workorder.read', 'workorder.work'] as const;
const commanding = ['command.read', 'command.write', 'command.approve'] as const;
const buildingUp = ['equipment.write', 'gateway.read', 'commissioning.read', 'commissioning.write'] as const;

/** What each role may do: `<kind of thing>.<act>`. A right that no role holds exists for nobody. */
const granted = {
  facility_engineer: [
    ...looking,
    ...commanding,
    ...buildingUp,
    'reading.read',
    'fault.read',
    'fault.acknowledge',
    'rule.write',
    'display.write',
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
  tenant_admin: ['my.usage', 'place.read', 'person.tenant'],
  tenant_employee: ['place.read'],
  finance_officer: [...looking, 'reading.read', 'billing.read', 'tenancy.read'],
  leasing_officer: ['place.read', 'place.write', 'tenancy.read', 'tenancy.write'],
  guard: [...looking, 'fault.read'],
  executive: [
    ...looking,
    'gateway.read',
    'fault.read',
    'workorder.read',
    'billing.read',
    'tenancy.read',
    'reading.read',
  ],
  // Builds and proves, and sees neither values nor history: what a meter reads is the tenant's own.
  installer: ['place.read', 'equipment.read', ...buildingUp],
  account_admin: [
    ...looking,
    ...commanding,
    ...buildingUp,
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
    'tenancy.write',
    'place.write',
    'person.read',
    'person.write',
    'account.write',
    'audit.read',
    'apikey.write',
    'webhook.write',
    'gateway.write',
    'update.write',
    'display.write',
  ],
} as const satisfies Record<Role, readonly string[]>;

/** To change these things a session needs a second factor that was given within ten minutes. */
const strong = [
  'command.write',
  'command.approve',
  'rule.write',
  'person.write',
  'person.tenant',
  'account.write',
  'apikey.write',
  'webhook.write',
  'gateway.write',
  'update.write',
  'display.write',
] as const satisfies readonly Permission[];
export const strongPermissions: ReadonlySet<string> = new Set(strong);

/** Whoever administers, commands, or sees bills or the audit needs a second factor at all. Pure. */
export const needsSecondFactor = (permissions: Permissions): boolean =>
  [...strong, 'billing.read', 'audit.read'].some((permission) => permissions.has(permission));

export type Permission = (typeof granted)[Role][number];

/** A role, and the ids of the buildings that it holds for; null: everywhere, or the person's tenant. */
export interface Grant {
  readonly role: string;
  readonly buildings: readonly string[] | null;
}

/** Every permission that some role grants. */
export const allPermissions: ReadonlySet<string> = new Set<string>(Object.values(granted).flat());

/** What one role grants; a role we do not know grants nothing. */
export const permissionsOfRole = (role: string): readonly Permission[] =>
  Object.hasOwn(granted, role) ? granted[role as Role] : [];

/** The union of what the roles grant, each permission for the buildings of all roles that grant it. Pure. */
export function permissionsOf(grants: readonly Grant[]): Permissions {
  const held = new Map<string, readonly string[] | null>();
  for (const { role, buildings } of grants)
    for (const permission of permissionsOfRole(role)) {
      const before = held.get(permission);
      const everywhere = buildings === null || before === null;
      held.set(permission, everywhere ? null : [...new Set([...(before ?? []), ...buildings])]);
    }
  return held;
}

/** Roles without their places, each once, in the order of the grants. */
export const rolesOf = (grants: readonly Grant[]): string[] => [...new Set(grants.map(({ role }) => role))];

import { type Role, roles, tenantRoles } from '@parkline/contract';
import type { Permissions } from '../platform/access.ts';
import { permissionsOfRole } from './permissions.ts';

/** Who gives or takes a right. */
export interface Giver {
  readonly tenantId: string | null;
  readonly permissions: Permissions;
}

/** A right, with the buildings that its place stands for at the moment; null: everywhere, or a tenant as a whole. */
export interface Right {
  readonly role: string;
  readonly buildings: readonly string[] | null;
}

/**
 * Whether somebody may give or take a right: nobody makes another more than one is. A tenant's administrator decides over
 * the roles of tenants. Of the staff, whoever holds all that an account_admin holds decides over every role; anybody else
 * over roles whose every permission is held for the same place. Pure.
 */
export function mayGrant({ tenantId, permissions }: Giver, { role, buildings }: Right): boolean {
  const isOfTenants = tenantRoles.includes(role as Role);
  if (!isRole(role)) return false;
  if (tenantId !== null) return isOfTenants && permissions.has('person.tenant');
  if (holds({ permissions }, 'account_admin', null)) return true;
  if (isOfTenants) return false;
  return covers(permissions, 'person.write', buildings) && holds({ permissions }, role, buildings);
}

/** Whether somebody may act on a person who has these rights: only on who could have been given all of them. Pure. */
export const mayAdminister = (giver: Giver, rights: readonly Right[]): boolean =>
  rights.every((right) => mayGrant(giver, right));

const isRole = (text: string): text is Role => roles.includes(text as Role);

const holds = (
  { permissions }: Pick<Giver, 'permissions'>,
  role: Role,
  place: readonly string[] | null,
): boolean => permissionsOfRole(role).every((permission) => covers(permissions, permission, place));

function covers(permissions: Permissions, permission: string, place: readonly string[] | null): boolean {
  const held = permissions.get(permission);
  if (held === undefined) return false;
  if (held === null) return true;
  return place !== null && place.every((building) => held.includes(building));
}

import { roles, tenantRoles } from '@parkline/contract';
import { expect, test } from 'vitest';
import { permissionsOf } from './permissions.ts';
import { type Giver, mayAdminister, mayGrant } from './rights.ts';

const staff = (role: string, buildings: readonly string[] | null = null): Giver => ({
  tenantId: null,
  permissions: permissionsOf([{ role, buildings }]),
});
const everywhere = (role: string) => ({ role, buildings: null });

test('an administrator of the account gives every role there is, and none that there is not', () => {
  for (const role of roles)
    expect([role, mayGrant(staff('account_admin'), everywhere(role))]).toEqual([role, true]);
  expect(mayGrant(staff('account_admin'), everywhere('emperor'))).toBe(false);
});

test('whoever may only write people gives what that person holds, where it is held, and no more', () => {
  const key: Giver = {
    tenantId: null,
    permissions: new Map([
      ...permissionsOf([{ role: 'guard', buildings: ['a', 'b'] }]),
      ['person.write', ['a', 'b']],
    ]),
  };
  expect(mayGrant(key, { role: 'guard', buildings: ['a'] })).toBe(true);
  expect(mayGrant(key, { role: 'guard', buildings: ['a', 'c'] })).toBe(false);
  expect(mayGrant(key, everywhere('guard'))).toBe(false);
  expect(mayGrant(key, { role: 'technician', buildings: ['a'] })).toBe(false);
  expect(mayGrant(key, everywhere('account_admin'))).toBe(false);
  expect(mayGrant(key, everywhere('tenant_admin'))).toBe(false);
});

test('the permission to write people alone gives nothing', () => {
  const key: Giver = { tenantId: null, permissions: new Map([['person.write', null]]) };
  for (const role of roles) expect(mayGrant(key, everywhere(role))).toBe(false);
});

test('rights without the permission to write people give nothing', () => {
  expect(mayGrant(staff('facility_engineer'), everywhere('facility_engineer'))).toBe(false);
});

test('an administrator of a tenant gives the roles of tenants only, an employee none', () => {
  const of = (role: string): Giver => ({ ...staff(role), tenantId: 't' });
  for (const role of roles)
    expect(mayGrant(of('tenant_admin'), everywhere(role))).toBe(tenantRoles.includes(role));
  expect(mayGrant(of('tenant_employee'), everywhere('tenant_employee'))).toBe(false);
});

test('nobody administers a person who holds more', () => {
  const rights = [everywhere('tenant_employee'), everywhere('account_admin')];
  expect(mayAdminister({ ...staff('tenant_admin'), tenantId: 't' }, rights)).toBe(false);
  expect(mayAdminister(staff('account_admin'), rights)).toBe(true);
});

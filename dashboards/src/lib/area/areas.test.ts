import { roles } from '@parkline/contract';
import { expect, test } from 'vitest';
import { areaOfPath, areasOf, startAreaOf } from './areas.ts';

test('each role starts its day in its own area', () => {
  expect(Object.fromEntries(roles.map((role) => [role, startAreaOf([role])]))).toEqual({
    facility_engineer: 'engineer',
    technician: 'technician',
    supervisor: 'supervisor',
    tenant_admin: 'tenant',
    tenant_employee: 'tenant',
    finance_officer: 'finance',
    leasing_officer: 'leasing',
    guard: 'guard',
    executive: 'executive',
    installer: 'installer',
    account_admin: 'admin',
  });
  expect(startAreaOf([])).toBeUndefined();
});

test('several roles open the areas of each, in one order', () => {
  expect(areasOf(['finance_officer', 'technician'])).toEqual(['technician', 'finance']);
  expect(areasOf(['account_admin'])).toEqual(['engineer', 'supervisor', 'finance', 'leasing', 'admin']);
  expect(areasOf(['technician'])).not.toContain('engineer');
});

test.each([
  ['/engineer/devices/1', 'engineer'],
  ['/tenant', 'tenant'],
  ['/tenants', undefined],
  ['/login', undefined],
])('%s belongs to %s', (path, area) => expect(areaOfPath(path)).toBe(area));

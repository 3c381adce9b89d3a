import { expect, test } from 'vitest';
import { areaOfPath, areasOf, startAreaOf } from './areas.ts';

test('each role starts its day in its own area', () => {
  expect(startAreaOf(['technician'])).toBe('technician');
  expect(startAreaOf(['tenant_admin'])).toBe('tenant');
  expect(startAreaOf(['account_admin'])).toBe('engineer');
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

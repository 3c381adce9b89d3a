import type { Role } from '@parkline/contract';

/** Who may call one route, and how the matrix of access.int.test.ts calls it. */
export interface Access {
  readonly who: readonly Role[] | 'anyone' | 'whoever is logged in';
  readonly query?: string;
  readonly body?: object;
  /** Sent as it is instead of `body`. */
  readonly raw?: { readonly type: string; readonly text: string };
  /** Answers that show that the request about an own object got past the doors; else those that a method usually has. */
  readonly own?: readonly number[];
}

/** 'GET /api/things/:id' -> who may. Written by hand, so that neither a route nor a role's grant changes unnoticed. */
export type Routes = Readonly<Record<string, Access>>;

export const engineer: readonly Role[] = ['facility_engineer', 'account_admin'];
export const admin: readonly Role[] = ['account_admin'];
export const field: readonly Role[] = ['technician', 'supervisor'];
export const lead: readonly Role[] = ['supervisor', 'account_admin'];
export const builders: readonly Role[] = [...engineer, 'installer'];
/** Who sees what a bill is made of. */
export const money: readonly Role[] = ['finance_officer', 'executive', 'account_admin'];
/** Who sees points and their values. */
export const lookers: readonly Role[] = [...engineer, ...field, 'finance_officer', 'guard', 'executive'];
export const staff: readonly Role[] = [...lookers, 'leasing_officer', 'installer'];
export const tenantPeople: readonly Role[] = ['tenant_admin', 'tenant_employee'];

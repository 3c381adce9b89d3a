import type { Language, Lease, Space, SpaceKind, SpaceState, Tenant } from '@parkline/contract';
import { inLanguage, type LocalText } from '../platform/i18n.ts';

export interface SpaceRow {
  readonly id: string;
  readonly name: LocalText;
  readonly kind: SpaceKind;
  readonly state: SpaceState;
  readonly areaM2: number;
  readonly buildingId: string;
  readonly floorId: string;
  readonly tenantId: string | null;
  readonly tenantName: LocalText | null;
  /** The day after the last one of the lease that runs. */
  readonly leaseEnd: string | null;
}

export interface TenantRow {
  readonly id: string;
  readonly name: LocalText;
  readonly areaM2: number;
  readonly leases: number;
}

export interface LeaseRow {
  readonly id: string;
  readonly key: string;
  readonly tenantId: string;
  readonly tenantName: LocalText;
  /** 'YYYY-MM-DD'. */
  readonly from: string;
  readonly to: string | null;
  readonly headcount: number | null;
  readonly movedIn: string | null;
  readonly movedOut: string | null;
  readonly spaces: readonly { readonly id: string; readonly name: LocalText; readonly areaM2: number }[];
}

export const spaceView = (row: SpaceRow, language: Language): Space => ({
  ...row,
  name: inLanguage(row.name, language),
  tenantName: row.tenantName && inLanguage(row.tenantName, language),
});

export const tenantView = (row: TenantRow, language: Language): Tenant => ({
  ...row,
  name: inLanguage(row.name, language),
});

export const leaseView = (row: LeaseRow, language: Language): Lease => ({
  ...row,
  tenantName: inLanguage(row.tenantName, language),
  spaces: row.spaces.map((space) => ({ ...space, name: inLanguage(space.name, language) })),
});

import { type Static, Type } from 'typebox';
import { Nullable, Uuid } from './common.ts';

/** A day on the site's own calendar: '2026-03-01'. */
export const LocalDate = Type.String({ format: 'date' });

/** A lessee. Areas and leases are those of today. */
export const Tenant = Type.Object({
  id: Uuid,
  name: Type.String(),
  areaM2: Type.Number(),
  /** How many of its leases run today. */
  leases: Type.Integer(),
});
export type Tenant = Static<typeof Tenant>;

/** The right to use spaces for some days. No space is in two leases on the same day. */
export const Lease = Type.Object({
  id: Uuid,
  tenantId: Uuid,
  tenantName: Type.String(),
  spaces: Type.Array(Type.Object({ id: Uuid, name: Type.String(), areaM2: Type.Number() })),
  /** First day. */
  from: LocalDate,
  /** The day after the last one; null while no end is agreed. */
  to: Nullable(LocalDate),
  /** People who work there, where it was told. */
  headcount: Nullable(Type.Integer({ minimum: 0 })),
});
export type Lease = Static<typeof Lease>;

export const TenantQuery = Type.Object({
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});

export const LeaseQuery = Type.Object({
  tenant: Type.Optional(Uuid),
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});

import { type Static, Type } from 'typebox';
import { LocalDate, LocalName, Nullable, Uuid } from './common.ts';
import { Key } from './imports.ts';

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
  key: Type.String(),
  tenantId: Uuid,
  tenantName: Type.String(),
  spaces: Type.Array(Type.Object({ id: Uuid, name: Type.String(), areaM2: Type.Number() })),
  /** First day. */
  from: LocalDate,
  /** The day after the last one; null while no end is agreed. */
  to: Nullable(LocalDate),
  /** People who work there, where it was told. */
  headcount: Nullable(Type.Integer({ minimum: 0 })),
  /** When the tenant took and gave back the spaces; null: not yet, or nobody wrote it down. */
  movedIn: Nullable(LocalDate),
  movedOut: Nullable(LocalDate),
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

const record = { id: Uuid, version: Type.Integer() };

export const TenantBody = Type.Object({ key: Key, name: LocalName });
export type TenantBody = Static<typeof TenantBody>;
export const TenantRecord = Type.Object({ ...record, ...TenantBody.properties });
export type TenantRecord = Static<typeof TenantRecord>;

export const contactKinds = ['general', 'billing', 'emergency', 'technical'] as const;
export const ContactKind = Type.Enum(contactKinds);
export type ContactKind = (typeof contactKinds)[number];

/** Says in the API's description that a field tells who a natural person is. */
const personal = { 'x-personal-data': true };

/** A number as people write it, with the extension behind it: '+86 21 5555 0100', '(021) 5555 0100 转 8', '555-0100 ext. 8'. */
export const PHONE =
  /^[+(（]{0,2}[0-9][0-9 ()（）./-]{1,48}(?:(?:转|轉|分机|[Ee]xt[.]?|EXT[.]?|[xX#,;]) ?[0-9]{1,9})?$/;

/** A mail address, its domain in any script; no more is looked at, for only a letter that arrives proves one. */
export const MAIL = /^[^\s@<>,;]+@[^\s@<>(),;:"'.]+(?:[.][^\s@<>(),;:"'.]+)+$/;

/** Whom to reach at a tenant. */
export const ContactBody = Type.Object({
  key: Key,
  tenantId: Uuid,
  kind: ContactKind,
  name: Type.String({ minLength: 1, maxLength: 200, ...personal }),
  phone: Nullable(Type.String({ pattern: PHONE.source, maxLength: 50, ...personal })),
  mail: Nullable(Type.String({ pattern: MAIL.source, maxLength: 254, ...personal })),
});
export type ContactBody = Static<typeof ContactBody>;
export const Contact = Type.Object({ ...record, ...ContactBody.properties });
export type Contact = Static<typeof Contact>;

export const ContactQuery = Type.Object({
  tenant: Type.Optional(Uuid),
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});

export const LeaseBody = Type.Object({
  key: Key,
  tenantId: Uuid,
  spaceIds: Type.Array(Uuid, { minItems: 1, maxItems: 500, uniqueItems: true }),
  from: LocalDate,
  /** The day after the last one; null: no end is agreed. */
  to: Nullable(LocalDate),
  headcount: Nullable(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
});
export type LeaseBody = Static<typeof LeaseBody>;
export const LeaseRecord = Type.Object({
  ...record,
  ...LeaseBody.properties,
  movedIn: Nullable(LocalDate),
  movedOut: Nullable(LocalDate),
});
export type LeaseRecord = Static<typeof LeaseRecord>;

/** Handing spaces over. Readings are whole counts of a meter's register as that day begins. */
export const MoveBody = Type.Object({
  /** In: the first day that the spaces are the tenant's. Out: the first day that they are not any more. */
  date: LocalDate,
  readings: Type.Optional(
    Type.Array(
      Type.Object({
        usagePointId: Uuid,
        counts: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      }),
      { maxItems: 500 },
    ),
  ),
});
export type MoveBody = Static<typeof MoveBody>;
/** A meter of the spaces of a lease: what is read when they change hands. */
export const HandoverMeter = Type.Object({
  /** Of its usage point. */
  id: Uuid,
  name: Type.String(),
  spaceName: Type.String(),
  /** Of the register as it is displayed: 'kWh'. */
  unit: Type.String(),
  /** What one count of the register is in that unit: 0.01 when two digits after the point are displayed. */
  resolution: Type.Number(),
});
export type HandoverMeter = Static<typeof HandoverMeter>;

import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

export const DeviceState = Type.Union([
  Type.Literal('online'),
  Type.Literal('silent'),
  Type.Literal('starting'),
  Type.Literal('unknown'),
]);
export type DeviceState = Static<typeof DeviceState>;

/** A device or plant unit. The same id names it everywhere. */
export const Equipment = Type.Object({
  id: Uuid,
  name: Type.String(),
  /** What it is: 'three-phase-meter', 'ahu', 'elevator' (folder of protocols/templates). */
  kind: Type.String(),
  /** Template id `<kind>/<vendor>-<model>`. */
  template: Type.String(),
  buildingId: Uuid,
  floorId: Nullable(Uuid),
  gatewayId: Uuid,
  protocol: Type.String(),
  /** Where on the bus, for a person: 'a-panel unit 3', 'a-bacnet device 2001'. */
  address: Type.String(),
  state: DeviceState,
  lastOkAt: Nullable(Instant),
  error: Nullable(Type.String()),
  /** The meter this one hangs behind; null for a main meter. A building's power is the sum of its main meters. */
  submeterOfId: Type.Optional(Nullable(Uuid)),
  /** What it works for: ids of floors and spaces. Empty where nothing is said. */
  serves: Type.Optional(Type.Array(Uuid)),
  /** Key points by role, for lists and cards: id of the point, or null. */
  powerPointId: Nullable(Uuid),
  registerPointId: Nullable(Uuid),
});
export type Equipment = Static<typeof Equipment>;

export const Gateway = Type.Object({
  id: Uuid,
  /** Short name within the park, 'gw-a'. */
  key: Type.String(),
  name: Type.String(),
  buildingId: Uuid,
  /** online: heard (health or data) in the last 30 s; offline: not; never: nothing yet; revoked: thrown out. Decided by the cloud, in one place. */
  state: Type.Union([
    Type.Literal('online'),
    Type.Literal('offline'),
    Type.Literal('never'),
    Type.Literal('revoked'),
  ]),
  lastSeenAt: Nullable(Instant),
  version: Nullable(Type.String()),
  /** off: somebody on site has switched remote writing off; null: it does not say. */
  writing: Nullable(Type.Union([Type.Literal('on'), Type.Literal('off')])),
  startedAt: Nullable(Instant),
  /** Messages waiting on its disk, as it last said; null before it ever spoke. */
  outbox: Nullable(
    Type.Object({
      pending: Type.Integer(),
      oldestAt: Nullable(Instant),
      bytes: Type.Integer(),
      maxBytes: Type.Integer(),
      /** Of what the cloud has not got; null when the gateway does not tell. */
      waitingBytes: Nullable(Type.Integer()),
      /** Until nothing more is taken in, if nothing were sent from now on; null when it cannot be told yet. */
      hoursLeft: Nullable(Type.Number()),
    }),
  ),
  /** Its clock, as its reports showed last; null before two of them agreed. */
  clock: Nullable(
    Type.Object({
      /** off: by more than 2 s. held: by more than 60 s, and what it stamps is kept but not billed. */
      state: Type.Union([Type.Literal('good'), Type.Literal('off'), Type.Literal('held')]),
      /** ms that it is ahead of the cloud's clock. */
      skewMs: Type.Integer(),
      measuredAt: Instant,
    }),
  ),
  devices: Type.Object({ total: Type.Integer(), online: Type.Integer() }),
});
export type Gateway = Static<typeof Gateway>;

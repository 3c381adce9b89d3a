import { type Static, Type } from 'typebox';
import { Instant, LocalName, Nullable, Uuid } from './common.ts';

/** A decimal as it is written on a meter: digits that count, so no float. */
export const MeterNumber = Type.String({ pattern: '^(0|[1-9]\\d{0,11})(\\.\\d{1,6})?$' });
/** 'YYYY-MM-DDTHH:mm' on the site's own clock, or with seconds. */
export const LocalMoment = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2})?$' });

export const commissioningStates = ['open', 'passed', 'failed', 'waived'] as const;
/** open: not recorded, or it cannot be judged yet. */
export const CommissioningState = Type.Enum(commissioningStates);
export type CommissioningState = Static<typeof CommissioningState>;

/**
 * Why a reading cannot be judged yet. no_telemetry: nothing good within 15 minutes on both sides. quality: what lies there is not
 * good. early: its time is still to come, or the reading after it is. coarse: it is further away than 0.5 %, and no further than the
 * last digit of the display, so that a reading with more digits must tell.
 */
export const CheckReason = Type.Enum(['no_telemetry', 'quality', 'early', 'coarse'] as const);
export type CheckReason = Static<typeof CheckReason>;

/** A display reading that the installer wrote down. */
export const DisplayReading = Type.Object({
  /** As the display shows it, with all its digits. */
  value: MeterNumber,
  at: Instant,
});
export type DisplayReading = Static<typeof DisplayReading>;

/** A display reading set beside what the cloud stored for that moment: the only value that an installer is told. */
export const CheckedReading = Type.Object({
  display: MeterNumber,
  at: Instant,
  /** display x ratio, in the unit of the point. */
  expected: Nullable(Type.Number()),
  /** What telemetry says of that moment; null: it cannot be said. */
  telemetry: Nullable(Type.Number()),
  /** Difference, and how much of it is allowed, in the unit of the point. */
  difference: Nullable(Type.Number()),
  allowed: Nullable(Type.Number()),
  result: Type.Enum(['agrees', 'differs', 'unknown'] as const),
  reason: Nullable(CheckReason),
});
export type CheckedReading = Static<typeof CheckedReading>;

export const ratioPlaces = ['telemetry', 'display', 'billing'] as const;
/** Where the ratio is in: in what the meter sends, on its display too, or only in the metering that bills are made of. */
export const RatioApplied = Type.Enum(ratioPlaces);
export type RatioApplied = Static<typeof RatioApplied>;

/** What was recorded of one meter. */
export const Commissioning = Type.Object({
  equipmentId: Uuid,
  equipmentKey: Type.String(),
  name: Type.String(),
  buildingId: Uuid,
  buildingName: Type.String(),
  gatewayId: Uuid,
  gatewayName: Type.String(),
  /** The register that is compared. */
  pointId: Uuid,
  pointName: Type.String(),
  unit: Type.String(),
  timezone: Type.String(),
  state: CommissioningState,
  version: Type.Integer(),
  serial: Nullable(Type.String()),
  /** Primary over secondary; 1 where there is no transformer. */
  ctRatio: Nullable(MeterNumber),
  ptRatio: Nullable(MeterNumber),
  /** Exactly one place multiplies. */
  ratioApplied: Nullable(RatioApplied),
  /** Effective multiplier of metering for this register at the time of the reading; null: it is in no usage point. */
  meteringMultiplier: Nullable(MeterNumber),
  /** Set when the recorded ratio and metering's multiplier do not go together. */
  ratioFault: Nullable(Type.Enum(['applied_twice', 'not_applied'] as const)),
  photo: Type.Boolean(),
  readings: Type.Array(CheckedReading, { maxItems: 2 }),
  recordedBy: Nullable(Type.String()),
  recordedAt: Nullable(Instant),
  checkedAt: Nullable(Instant),
  waivedBy: Nullable(Type.String()),
  waiveReason: Nullable(Type.String()),
});
export type Commissioning = Static<typeof Commissioning>;

export const CommissioningBody = Type.Object({
  serial: Type.String({ minLength: 1, maxLength: 60, pattern: '^[\\x20-\\x7e\\u4e00-\\u9fff]+$' }),
  /** Primary over secondary; 1 when left out. */
  ctRatio: Type.Optional(MeterNumber),
  ptRatio: Type.Optional(MeterNumber),
  /** telemetry when left out: what the meter sends contains the ratio, its display does not. */
  ratioApplied: Type.Optional(RatioApplied),
  display: MeterNumber,
  /** By the clock of the site. */
  readAt: LocalMoment,
  /** A second reading, later. */
  later: Type.Optional(Nullable(Type.Object({ display: MeterNumber, readAt: LocalMoment }))),
});
export type CommissioningBody = Static<typeof CommissioningBody>;

export const WaiveBody = Type.Object({ reason: Type.String({ minLength: 10, maxLength: 500 }) });
export type WaiveBody = Static<typeof WaiveBody>;

export const CommissioningQuery = Type.Object({
  gateway: Type.Optional(Uuid),
  state: Type.Optional(CommissioningState),
});

export const SignAs = Type.Enum(['installer', 'engineer'] as const);
export type SignAs = Static<typeof SignAs>;

const Signature = Type.Object({ as: SignAs, personName: Type.String(), at: Instant });

/** A report on the meters of one gateway: fixed when it is made, then signed by two. */
export const CommissioningReport = Type.Object({
  id: Uuid,
  gatewayId: Uuid,
  gatewayName: Type.String(),
  number: Type.String(),
  createdAt: Instant,
  meters: Type.Integer(),
  passed: Type.Integer(),
  waived: Type.Integer(),
  signatures: Type.Array(Signature),
  /** SHA-256 of the PDF; null until both have signed. */
  pdfSha256: Nullable(Type.String()),
});
export type CommissioningReport = Static<typeof CommissioningReport>;

export const ReportBody = Type.Object({ gatewayId: Uuid });
export const SignBody = Type.Object({ as: SignAs });

/** The report as its file holds it; the text of `body` in a SignedReport. */
export const ReportContent = Type.Object({
  format: Type.Literal('parkline-commissioning-1'),
  number: Type.String(),
  account: LocalName,
  site: LocalName,
  gateway: Type.Object({ id: Uuid, key: Type.String(), name: LocalName }),
  timezone: Type.String(),
  createdAt: Instant,
  meters: Type.Array(
    Type.Object({
      equipmentId: Uuid,
      key: Type.String(),
      name: LocalName,
      serial: Nullable(Type.String()),
      ctRatio: Nullable(MeterNumber),
      ptRatio: Nullable(MeterNumber),
      ratioApplied: Nullable(RatioApplied),
      point: Type.String(),
      unit: Type.String(),
      state: CommissioningState,
      readings: Type.Array(CheckedReading),
      photoSha256: Nullable(Type.String()),
      recordedBy: Nullable(Type.String()),
      recordedAt: Nullable(Instant),
      waivedBy: Nullable(Type.String()),
      waiveReason: Nullable(Type.String()),
    }),
  ),
});
export type ReportContent = Static<typeof ReportContent>;

/** What the cloud signs, beside the PDF: canonical JSON (keys sorted, no spaces) in `body`. */
export const ReportProof = Type.Object({
  content: ReportContent,
  signatures: Type.Array(
    Type.Object({
      as: SignAs,
      personId: Uuid,
      personName: Type.String(),
      at: Instant,
      factor: Type.String(),
    }),
  ),
  pdfSha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
export type ReportProof = Static<typeof ReportProof>;

/** The file that `parkline commissioning verify` reads: the proof, its signature, and the PDF that it is about. */
export const SignedReport = Type.Object({
  body: Type.String(),
  sig: Type.String(),
  /** SPKI PEM of the cloud's key; who verifies compares it with the key that they know. */
  publicKey: Type.String(),
  /** base64. */
  pdf: Type.String(),
});
export type SignedReport = Static<typeof SignedReport>;

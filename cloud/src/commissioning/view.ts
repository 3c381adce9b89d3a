import type { Commissioning, CommissioningReport, Language } from '@parkline/contract';
import { inLanguage } from '../platform/i18n.ts';
import type { MeterRow, ReportRow, SignatureRow } from './repository.ts';

/** A meter as people see it: of telemetry only what was compared. */
export const meterView = (row: MeterRow, language: Language): Commissioning => ({
  ...{ equipmentId: row.equipmentId, equipmentKey: row.equipmentKey },
  name: inLanguage(row.equipmentName, language),
  buildingId: row.buildingId,
  buildingName: inLanguage(row.buildingName, language),
  gatewayId: row.gatewayId,
  gatewayName: inLanguage(row.gatewayName, language),
  pointId: row.pointId,
  pointName: inLanguage(row.pointName, language),
  ...{ unit: row.unit, timezone: row.timezone },
  ...{ state: row.state ?? 'open', version: row.version ?? 0 },
  ...{ serial: row.serial ?? null, ctRatio: row.ctRatio ?? null, ptRatio: row.ptRatio ?? null },
  ratioApplied: row.ratioApplied ?? null,
  meteringMultiplier: row.meteringMultiplier == null ? null : String(Number(row.meteringMultiplier)),
  ratioFault: row.ratioFault ?? null,
  photo: row.photoId != null,
  readings: row.checks ?? [],
  ...{ recordedBy: row.recordedByName, recordedAt: iso(row.recordedAt), checkedAt: iso(row.checkedAt) },
  ...{ waivedBy: row.waivedByName, waiveReason: row.waiveReason ?? null },
});

export const iso = (at: Date | null | undefined): string | null => at?.toISOString() ?? null;

export const numberOf = (seq: number): string => `PC-${String(seq).padStart(5, '0')}`;

export function reportView(
  { id, gatewayId, seq, content, createdAt, proof, signature }: ReportRow,
  signatures: readonly SignatureRow[],
  language: Language,
): CommissioningReport {
  const sealed = proof !== null && signature !== null;
  return {
    ...{ id, gatewayId, number: numberOf(seq), createdAt: createdAt.toISOString() },
    gatewayName: inLanguage(content.gateway.name, language),
    meters: content.meters.length,
    passed: content.meters.filter(({ state }) => state === 'passed').length,
    waived: content.meters.filter(({ state }) => state === 'waived').length,
    signatures: signatures
      .filter(({ reportId }) => reportId === id)
      .map(({ signedAs, personName, at }) => ({ as: signedAs, personName, at: at.toISOString() })),
    pdfSha256: sealed ? (JSON.parse(proof) as { pdfSha256: string }).pdfSha256 : null,
  };
}

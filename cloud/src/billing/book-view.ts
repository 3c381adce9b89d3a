import type {
  BillingRun,
  BillingRunSummary,
  Language,
  LineInterval,
  StatementLine,
  StatementSummary,
} from '@parkline/contract';
import { inLanguage } from '../platform/i18n.ts';
import { checkDetail, lineLabel } from './bill-words.ts';
import type { IntervalRow, LineRow, RunRow, StatementRow } from './repository.ts';

export const summaryView = (row: RunRow): BillingRunSummary => ({
  id: row.id,
  siteName: row.siteName,
  period: { from: row.fromDate, to: row.toDate },
  state: row.state,
  createdAt: row.createdAt.toISOString(),
  lockedAt: row.lockedAt?.toISOString() ?? null,
  currency: row.currency,
  total: row.total,
  supplyTotal: row.supplyTotal,
  statementCount: row.statementCount,
  inputsHash: row.inputsHash,
});

export const runView = (
  row: RunRow,
  statements: readonly StatementRow[],
  language: Language,
): BillingRun => ({
  ...summaryView(row),
  supply: {
    kwh: row.supplyKwh,
    energy: row.supplyEnergy,
    demand: row.supplyDemand,
    powerFactor: row.supplyPowerFactor,
    total: row.supplyTotal,
  },
  checks: row.checks.map((check) => ({
    key: check.key,
    ok: check.ok,
    detail: inLanguage(checkDetail(check), language),
  })),
  statements: statements.map(statementView),
});

export const statementView = ({
  id,
  party,
  kind,
  kwh,
  estimatedKwh,
  net,
  tax,
  total,
}: StatementRow): StatementSummary => ({
  ...{ id, party, kind, kwh, estimatedKwh, net, tax, total },
});

export const lineView = (line: LineRow, language: Language): StatementLine => ({
  id: line.id,
  label: inLanguage(lineLabel(line), language),
  kind: line.kind,
  quantity: line.quantity,
  unit: line.unit,
  price: line.price,
  amount: line.amount,
  formula: line.formula,
  pool: line.pool,
  poolTotal: line.poolTotal,
  poolLines: [...line.poolLines],
  usagePoints: [...line.usagePoints],
  meters: [...line.meters],
  band: line.band,
  tariffVersion: line.tariffVersion,
  intervals: line.intervals,
});

export const intervalView = (
  row: IntervalRow,
  { weight, weightSum, intervalMs }: Pick<LineRow, 'weight' | 'weightSum'> & { readonly intervalMs: number },
): LineInterval => ({
  from: row.at.toISOString(),
  to: new Date(row.at.getTime() + intervalMs).toISOString(),
  usagePoint: row.usagePoint,
  kwh: row.energy,
  through: row.through,
  quality: row.quality,
  rule: row.rule,
  band: row.band,
  tariffVersion: row.tariffVersion,
  registers: [...row.registers],
  share: weight !== null && weightSum !== null ? { weight, of: weightSum } : null,
});

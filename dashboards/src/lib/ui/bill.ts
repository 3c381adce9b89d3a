import type { BillingRunSummary, LineInterval, StatementLine } from '@parkline/contract';
import { formatTime } from '#lib/format/time.ts';
import type { Translator } from '#lib/i18n/translator.ts';
import type { Tone } from './StatusBadge.svelte';

/** The days of a run as people say them: the month where it is one, else first and last day. */
export function periodText({ t, language }: Translator, { from, to }: BillingRunSummary['period']): string {
  const [first, end] = [new Date(from), new Date(to)];
  const isMonth =
    first.getUTCDate() === 1 &&
    end.getTime() === Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 1);
  if (isMonth) return formatTime(first.getTime(), 'monthLong', language, 'UTC');
  const day = (at: number) => formatTime(at, 'dayLong', language, 'UTC');
  // `to` is the first day after the run; people name the last one in it.
  return t('tenant.between', { from: day(first.getTime()), to: day(end.getTime() - 86_400_000) });
}

/** A band of a tariff in the reader's language; one without a usual key is called as in the tariff. */
export const bandText = ({ t }: Translator, band: string): string =>
  t(`bills.bandName.${band}` as 'bills.bandName.peak', { defaultValue: band });

/** A pool or a metered place that everybody knows in the reader's language; any other by its key. */
export const poolText = ({ t }: Translator, key: string): string =>
  t(`bills.poolName.${key}` as 'bills.poolName.loss', { defaultValue: key });

/** What a line is for, in a few words. */
export const lineText = ({ t }: Translator, { label, pool }: StatementLine): string =>
  pool === null ? label : t(`bills.poolName.${pool}` as 'bills.poolName.loss', { defaultValue: label });

export const runTones: Record<BillingRunSummary['state'], Tone> = { draft: 'notice', locked: 'ok' };

export const intervalTones: Record<LineInterval['quality'], Tone> = {
  M: 'ok',
  V: 'notice',
  E: 'warning',
};

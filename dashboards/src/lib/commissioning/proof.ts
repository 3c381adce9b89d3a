import type { CommissioningState } from '@parkline/contract';
import type { Tone } from '../ui/StatusBadge.svelte';

/** The one colour of each state of a proof. */
export const proofTones: Record<CommissioningState, Tone> = {
  open: 'stale',
  passed: 'ok',
  failed: 'critical',
  waived: 'manual',
};

/** '200/5' or '40' as the number that the server takes; undefined for what is no ratio. Pure. */
export function ratioOf(text: string): string | undefined {
  const match = /^\s*(\d{1,9}(?:\.\d{1,6})?)\s*(?:[/:]\s*(\d{1,9}(?:\.\d{1,6})?))?\s*$/.exec(text);
  if (!match) return undefined;
  const value = Number(match[1]) / Number(match[2] ?? 1);
  return Number.isFinite(value) && value > 0 ? String(Number(value.toFixed(6))) : undefined;
}

/** What a display shows: digits, and a point. Pure. */
export const isDisplay = (text: string): boolean => /^(0|[1-9]\d{0,11})(\.\d{1,6})?$/.test(text.trim());

/** 'YYYY-MM-DDTHH:mm' on the clock of a zone, as a field of a form takes it. Pure. */
export function localMinute(at: number, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: timezone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit' },
  }).formatToParts(at);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`;
}

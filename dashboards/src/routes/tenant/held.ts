import type { UsagePoint } from '@parkline/contract';
import { formatTime } from '#lib/format/time.ts';
import type { Translator } from '#lib/i18n/translator.ts';

/** A day of the calendar as text, whatever zone it is in. */
const dayShown = (date: string, language: string): string =>
  formatTime(Date.parse(date), 'dayLong', language, 'UTC');

/** The days that a tenant holds the place of a usage point, in words. */
export function heldText({ t, language }: Translator, { from, to }: UsagePoint): string {
  const first = dayShown(from, language);
  if (to === null) return t('tenant.since', { day: first });
  // `to` is the first day after the lease; people name the last one in it.
  const last = formatTime(Date.parse(to) - 86_400_000, 'dayLong', language, 'UTC');
  return t('tenant.between', { from: first, to: last });
}

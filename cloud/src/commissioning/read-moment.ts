import { parseInstant } from '../metering/index.ts';
import { badField } from '../platform/errors.ts';

/** A reading is written down at the visit; older ones would be a way to ask for history, ms. */
const OLDEST_MS = 7 * 24 * 3_600_000;
/** A phone may be ahead, ms. */
const AHEAD_MS = 5 * 60_000;

/** @throws AppError 'bad_input' for a time that the clock of the site never or twice shows, or that is not of this visit. */
export function moment(field: string, text: string, timezone: string, now: Date): Date {
  const ms = parseInstant(text, timezone);
  if (ms === undefined) throw badField(field, readWords.moment(timezone));
  if (ms > now.getTime() + AHEAD_MS) throw badField(field, readWords.ahead);
  if (ms < now.getTime() - OLDEST_MS) throw badField(field, readWords.old);
  return new Date(ms);
}

export const readWords = {
  ratio: { en: 'a ratio is above 0', zh: '变比须大于 0' },
  product: {
    en: 'CT x PT, which billing multiplies by, must be at least 0.000001 and below 1000000000000',
    zh: '计费所乘的 CT 与 PT 变比之积须不小于 0.000001 且小于 1000000000000',
  },
  order: { en: 'must come after the first reading', zh: '须晚于第一次抄表' },
  moment: (timezone: string) => ({
    en: `names no one moment in ${timezone}`,
    zh: `在 ${timezone} 不对应唯一时刻`,
  }),
  ahead: { en: 'is still to come', zh: '是将来的时间' },
  old: { en: 'is more than 7 days ago: read the display again', zh: '已超过 7 天，请重新抄表' },
};

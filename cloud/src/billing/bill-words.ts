import type { BillingCheck } from '@parkline/contract';
import type { LocalText } from '../platform/i18n.ts';
import type { CheckRecord } from './record.ts';

/** Bands of time-of-use tariffs by their usual keys; any other is called as in the tariff. */
const bands: Readonly<Record<string, LocalText>> = {
  sharp: { en: 'sharp peak', zh: '尖峰' },
  peak: { en: 'peak', zh: '高峰' },
  flat: { en: 'flat', zh: '平段' },
  valley: { en: 'valley', zh: '低谷' },
  deep: { en: 'deep valley', zh: '深谷' },
};

/** Pools that are computed; a common usage point is called as in the run's inputs. */
const pools: Readonly<Record<string, LocalText>> = {
  loss: { en: 'Loss', zh: '线损' },
  demand: { en: 'Demand', zh: '基本电费' },
  power_factor: { en: 'Power factor', zh: '力调电费' },
};

const asIs = (text: string): LocalText => ({ en: text, zh: text });
const rounding: LocalText = { en: 'Rounding', zh: '尾差' };

/** What a line is for, in a few words. */
export function lineLabel({
  kind,
  band,
  tariffVersion,
  pool,
}: {
  readonly kind: 'energy' | 'share' | 'rounding';
  readonly band: string | null;
  readonly tariffVersion: string | null;
  readonly pool: string | null;
}): LocalText {
  if (kind === 'rounding') return rounding;
  if (kind === 'share') return pools[pool ?? ''] ?? asIs((pool ?? '').replaceAll('_', ' '));
  const name = bands[band ?? ''] ?? asIs(band ?? '');
  return { en: `Own use, ${name.en} (${tariffVersion})`, zh: `自用电量 ${name.zh}（${tariffVersion}）` };
}

const sentences: Readonly<
  Record<BillingCheck['key'], (facts: CheckRecord['facts'], ok: boolean) => LocalText>
> = {
  statements_equal_supply: ({ statements, supply }) => ({
    en: `The statements add up to ${statements}, the supply bill is ${supply}.`,
    zh: `各分户账单合计 ${statements}，总表账单 ${supply}。`,
  }),
  rounding_within_law: ({ rounding: cents, lines, limit }) => ({
    en: `Rounding ${lines} lines left ${cents}; at most ${limit} may be left.`,
    zh: `${lines} 行取整后的尾差为 ${cents}，允许上限为 ${limit}。`,
  }),
  all_energy_billed_once: ({ billed, supply }) => ({
    en: `${billed} kWh are billed or lost, the supply brought ${supply} kWh.`,
    zh: `计费与线损电量合计 ${billed} kWh，总表供电 ${supply} kWh。`,
  }),
  completeness: ({ part, estimated, hours, limit }) => ({
    en: `${part} of the intervals rest on registers, ${estimated} are estimated; the longest estimate is ${hours} h (over ${limit} h needs approval).`,
    zh: `${part} 的区间由表底数得出，${estimated} 个为估算值；最长连续估算 ${hours} 小时（超过 ${limit} 小时须审批）。`,
  }),
  estimates_within_limit: ({ parties }, ok) => ({
    en: ok
      ? 'No statement rests on estimates for more than 5 % of its use.'
      : `More than 5 % is estimated: ${parties}.`,
    zh: ok ? '各账单的估算电量均不超过 5 %。' : `估算电量超过 5 %：${parties}。`,
  }),
  loss_within_limits: ({ loss, part }) => ({
    en: `${loss} kWh are lost, ${part} of the supply; -1 % to +6 % is usual.`,
    zh: `线损 ${loss} kWh，占总表 ${part}；通常在 -1 % 至 +6 % 之间。`,
  }),
};

/** A check as a sentence with its figures. */
export const checkDetail = ({ key, facts, ok }: CheckRecord): LocalText => sentences[key](facts, ok);

export type Language = 'en' | 'zh';

/** Texts of the printed run. */
export interface Words {
  readonly supply: string;
  readonly statements: string;
  readonly notes: string;
  readonly none: string;
  readonly energy: string;
  readonly demand: string;
  readonly powerFactor: string;
  readonly total: string;
  readonly sum: string;
  readonly directEnergy: string;
  readonly direct: string;
  readonly rounding: string;
  readonly net: string;
  readonly vat: string;
  /** Names of the computed pools; others are called as in the scenario. */
  readonly pools: Readonly<Record<string, string>>;
  readonly loss: (kwh: string, part: string) => string;
  readonly intervals: (point: string, rule: string, count: number, first: string, last: string) => string;
  /** Said when the loss is outside -1 % to +6 % of the supply. */
  readonly oddLoss: string;
  readonly approval: (point: string, hours: number) => string;
  readonly estimatedShare: (participant: string, kwh: string, part: string) => string;
}

export const words: Readonly<Record<Language, Words>> = {
  en: {
    supply: 'Supply bill',
    statements: 'Statements',
    notes: 'Notes',
    none: '  none',
    energy: 'Energy',
    demand: 'Demand',
    powerFactor: 'Power factor',
    total: 'Total',
    sum: 'Sum',
    directEnergy: 'Direct kWh',
    direct: 'Direct',
    rounding: 'Rounding',
    net: 'Net',
    vat: 'VAT',
    pools: { loss: 'Loss', demand: 'Demand', power_factor: 'Power factor' },
    loss: (kwh, part) => `loss ${kwh} kWh (${part} of the supply)`,
    intervals: (point, rule, count, first, last) => `${point}: ${count} x ${rule}, ${first} .. ${last}`,
    oddLoss: 'the loss is outside -1 % .. +6 %: look for a wrong multiplier or a meter that is missing',
    approval: (point, hours) => `${point}: ${hours} h are estimated in one piece, which needs approval`,
    estimatedShare: (participant, kwh, part) =>
      `${participant}: ${kwh} kWh (${part}) of the direct use is estimated`,
  },
  zh: {
    supply: '总表电费',
    statements: '分户账单',
    notes: '说明',
    none: '  无',
    energy: '电度电费',
    demand: '基本电费',
    powerFactor: '力调电费',
    total: '合计',
    sum: '总计',
    directEnergy: '直接用电量 kWh',
    direct: '直接电费',
    rounding: '尾差',
    net: '不含税',
    vat: '增值税',
    pools: { loss: '线损', demand: '基本电费', power_factor: '力调电费' },
    loss: (kwh, part) => `线损 ${kwh} kWh（占总表 ${part}）`,
    intervals: (point, rule, count, first, last) => `${point}：${count} 个区间 ${rule}，${first} 至 ${last}`,
    oddLoss: '线损超出 -1 % 至 +6 %：请检查倍率是否有误、是否漏装电表',
    approval: (point, hours) => `${point}：连续 ${hours} 小时为估算值，需审批`,
    estimatedShare: (participant, kwh, part) => `${participant}：直接用电中 ${kwh} kWh（${part}）为估算值`,
  },
};

import { type Unit, units } from '@parkline/contract';

/** A unit of ours and how a value in another gets there: value x factor + offset. */
export interface Conversion {
  readonly unit: Unit;
  readonly factor: number;
  readonly offset: number;
}

/** Other units by the unit of ours they turn into: spellings, factor, offset. Spellings are simplified. */
const others: Readonly<
  Partial<Record<Unit, readonly (readonly [names: string, factor: number, offset?: number])[]>>
> = {
  kWh: [
    ['kwh kilowatthours kilowatthour kilowhr kilowh 度 千瓦时', 1],
    ['wh watthours watthour whr', 0.001],
    ['mwh megawatthours megawatthour megawhr', 1_000],
    ['gwh gigawatthours', 1_000_000],
    ['kj kilojoules kilojoule kiloj', 1 / 3_600],
    ['mj megajoules megajoule megaj', 1 / 3.6],
    ['gj gigajoules gigajoule gigaj', 1 / 0.0036],
    ['btu btus', 0.000_293_071_07],
    ['kbtu kilobtus kilobtu', 0.293_071_07],
    ['therm therms', 29.307_107],
    ['tonhours tonhour tonrefh', 3.516_852_842],
  ],
  kvarh: [
    ['kvarh kvarhours kilovoltampereshoursreactive kilovoltamperehoursreactive kilovarhr kilovarh', 1],
    ['varh varhours voltamperehoursreactive', 0.001],
    ['mvarh megavoltamperehoursreactive', 1_000],
  ],
  kW: [
    ['kw kilowatts kilowatt kilow 千瓦', 1],
    ['w watts watt', 0.001],
    ['mw megawatts megawatt megaw', 1_000],
    ['btuh btusperhour btuperhour btuhr btuperhr', 0.000_293_071_07],
    ['hp horsepower', 0.745_699_872],
    ['tonsrefrigeration tonrefrigeration tonfg', 3.516_852_842],
  ],
  kvar: [
    ['kvar kilovars kilovoltamperesreactive kilovoltampreactive kilovar kilovaringreactive', 1],
    ['var vars voltamperesreactive voltampreactive voltampsreactive', 0.001],
    ['mvar megavoltamperesreactive megavar', 1_000],
  ],
  kVA: [
    ['kva kilovoltamperes kilovoltamps kilovolta kilova', 1],
    ['va voltamperes voltamps voltamp voltampere', 0.001],
    ['mva megavoltamperes megava', 1_000],
  ],
  V: [
    ['v volt volts 伏', 1],
    ['mv millivolts millivolt milliv', 0.001],
    ['kv kilovolts kilovolt kilov', 1_000],
    ['megavolts megavolt megav', 1_000_000],
  ],
  A: [
    ['a amp amps ampere amperes 安', 1],
    ['ma milliamperes milliamps milliamp millia', 0.001],
    ['ka kiloamperes kiloamps', 1_000],
  ],
  Hz: [
    ['hz hertz', 1],
    ['khz kilohertz kilohz', 1_000],
    ['megahertz megahz', 1_000_000],
    ['rpm revolutionsperminute', 1 / 60],
  ],
  '1': [['1 nounits nounit unitless none powerfactor pf cosphi cosφ num', 1]],
  'm³': [
    ['m3 m³ cubicmeters cubicmeter cubicmetre cubicmetres 立方米', 1],
    ['l liters liter litres litre', 0.001],
    ['ft3 ft³ cubicfeet cubicfoot cf', 0.028_316_846_592],
    ['gal usgallons usgallon gallons gallon galus', 0.003_785_411_784],
    ['imperialgallons imperialgallon galuk', 0.004_546_09],
  ],
  'm³/h': [
    ['m3/h m³/h cubicmetersperhour cubicmetreperhour m3perhr cubicmetersperhr m3h m³h m3perh', 1],
    ['m3/s m³/s cubicmeterspersecond m3persec', 3_600],
    ['m3/min m³/min cubicmetersperminute m3permin', 60],
    ['l/s literspersecond litrespersecond lpersec', 3.6],
    ['l/min litersperminute litresperminute lpermin lpm', 0.06],
    ['cfm ft3/min ft³/min cubicfeetperminute ft3permin', 1.699_010_795_52],
    ['ft3/s cubicfeetpersecond ft3persec', 101.940_647_731_2],
    ['gpm gal/min usgallonsperminute galuspermin galpermin', 0.227_124_707_04],
    ['imperialgallonsperminute galukpermin', 0.272_765_4],
  ],
  'L/h': [['l/h litersperhour litresperhour lperhr lph', 1]],
  '°C': [
    ['°c ℃ c degc degcelsius degreescelsius degreecelsius celsius 摄氏度', 1],
    ['°f ℉ f degf degfahrenheit degreesfahrenheit degreefahrenheit fahrenheit', 5 / 9, -160 / 9],
  ],
  K: [
    ['k kelvin kelvins degreeskelvin degreekelvin deltak deltadegreeskelvin δk', 1],
    ['deltadegreesfahrenheit deltadegf δ°f', 5 / 9],
    ['δ°c deltadegc', 1],
  ],
  kPa: [
    ['kpa kilopascals kilopascal kilopa', 1],
    ['mpa megapascals megapa', 1_000],
    ['bar bars', 100],
    ['psi poundsforcepersquareinch psig lbfin2 lbfperin2', 6.894_757_293_168],
    ['mmhg millimetersofmercury', 0.133_322_387_415],
    ['inhg inchesofmercury', 3.386_389],
    ['mh2o', 9.806_65],
  ],
  '%': [
    ['% percent pct %rh rh percentrelativehumidity relativehumidity percentrh', 1],
    ['‰ permille', 0.1],
  ],
  s: [
    ['s sec secs second seconds 秒', 1],
    ['ms milliseconds millisecond millisec', 0.001],
    ['min mins minute minutes 分钟', 60],
    ['h hr hrs hour hours 小时', 3_600],
    ['d day days', 86_400],
  ],
  Pa: [
    ['pa pascal pascals', 1],
    ['hpa hectopascals hectopa', 100],
    ['mbar millibars millibar', 100],
    ['inh2o inh₂o in/wc inwc inwg iwc inchesofwater in.w.g. in.w.c.', 249.088_91],
    ['cmh2o centimetersofwater', 98.066_5],
    ['mmh2o', 9.806_65],
  ],
  ppm: [
    ['ppm partspermillion', 1],
    ['ppb partsperbillion', 0.001],
  ],
  'm/s': [
    ['m/s meterspersecond metrespersecond mpersec', 1],
    ['km/h kmh kilometersperhour kilomperhr', 1 / 3.6],
    ['ft/min fpm feetperminute ftpermin', 0.005_08],
    ['ft/s feetpersecond ftpersec', 0.304_8],
    ['mph milesperhour miperhr', 0.447_04],
  ],
};

const simple = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[\s_·*^-]/g, '')
    .replace(/\(.*\)$/, '');

const conversions: ReadonlyMap<string, Conversion> = new Map(
  units.flatMap((unit) => [
    [simple(unit), { unit, factor: 1, offset: 0 }] as const,
    ...(others[unit] ?? []).flatMap(([names, factor, offset = 0]) =>
      names.split(' ').map((name) => [name, { unit, factor, offset }] as const),
    ),
  ]),
);

/** MW and MV are mega, mW and mV milli: the one letter whose case decides. */
const cased: ReadonlyMap<string, Conversion> = new Map([
  ['mW', { unit: 'kW', factor: 1e-6, offset: 0 }],
  ['MV', { unit: 'V', factor: 1e6, offset: 0 }],
  ['MHz', { unit: 'Hz', factor: 1e6, offset: 0 }],
]);

/** The unit of ours for a unit in words or signs (`kWh`, `Volts`, `KiloW-HR`, `degrees-celsius`), or undefined. */
export function conversionOf(text: string): Conversion | undefined {
  const trimmed = text.trim();
  if (trimmed === 'S') return undefined; // Siemens, not seconds.
  return cased.get(trimmed) ?? conversions.get(simple(trimmed));
}

/** Units that only grow where a meter counts them. */
export const isCounted = (unit: Unit | null): boolean => unit === 'kWh' || unit === 'kvarh' || unit === 'm³';

/** What a unit in the file's words makes of a raw scale: the point's unit, scale and offset. Lossless: a strange unit is kept in words. */
export function inUnit(
  text: string | null,
  scale = 1,
  offset = 0,
): { unit: Unit | null; sourceUnit: string | null; scale: number; offset: number } {
  const known = text ? conversionOf(text) : undefined;
  if (!known) return { unit: null, sourceUnit: text || null, scale, offset };
  return {
    unit: known.unit,
    sourceUnit: text,
    scale: tidy(scale * known.factor),
    offset: tidy(offset * known.factor + known.offset),
  };
}

/** A value told in a unit's own words, in the unit of ours that {@link inUnit} gives; as it is where there is none. */
export function valueInUnit(text: string | null, value: number | null): number | null {
  const known = text ? conversionOf(text) : undefined;
  return value === null || !known ? value : tidy(value * known.factor + known.offset);
}

/** Takes the dust of binary arithmetic off a product of decimals: 0.1 x 0.001 is 0.0001, and 5/9 stays what it is. */
export function tidy(value: number): number {
  const short = Number(value.toPrecision(15));
  return short === Number(short.toPrecision(10)) ? short : value;
}

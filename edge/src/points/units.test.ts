import { units } from '@parkline/contract';
import { expect, test } from 'vitest';
import { conversionOf, inUnit, tidy, valueInUnit } from './units.ts';

test('every unit of ours is itself', () => {
  for (const unit of units)
    expect([unit, conversionOf(unit)]).toEqual([unit, { unit, factor: 1, offset: 0 }]);
});

test.each([
  ['Wh', 1_500, 'kWh', 1.5],
  ['MWh', 2, 'kWh', 2_000],
  ['GJ', 3.6, 'kWh', 1_000],
  ['KiloW-HR', 7, 'kWh', 7],
  ['mW', 1_000_000, 'kW', 1],
  ['MW', 1, 'kW', 1_000],
  ['VAr', 500, 'kvar', 0.5],
  ['kVArh', 5, 'kvarh', 5],
  ['VoltAmps', 500, 'kVA', 0.5],
  ['Volts', 230, 'V', 230],
  ['mA', 20, 'A', 0.02],
  ['degrees-fahrenheit', 212, '°C', 100],
  ['DEG_F', 32, '°C', 0],
  ['l/s', 10, 'm³/h', 36],
  ['bar', 1.5, 'kPa', 150],
  ['hPa', 10, 'Pa', 1_000],
  ['min', 2, 's', 120],
  ['ppb', 1_000, 'ppm', 1],
  ['km/h', 36, 'm/s', 10],
  ['percent-relative-humidity', 45, '%', 45],
])('%s: %d is %s %d', (text, value, ...expected) => {
  const [unit, converted] = expected;
  expect(conversionOf(text)?.unit).toBe(unit);
  expect(valueInUnit(text, value)).toBeCloseTo(converted as number, 9);
});

test('what is no unit of ours keeps its words and its scale', () => {
  expect(inUnit('lx', 0.1, 5)).toEqual({ unit: null, sourceUnit: 'lx', scale: 0.1, offset: 5 });
  for (const text of ['constructor', '__proto__', '', 'S']) expect(conversionOf(text)).toBeUndefined();
});

test('scale and offset of the file come first, the unit second', () => {
  expect(inUnit('°F', 0.5, 10)).toEqual({
    unit: '°C',
    sourceUnit: '°F',
    scale: 0.5 * (5 / 9),
    offset: 10 * (5 / 9) - 160 / 9,
  });
});

test('products of decimals are decimals, and other numbers are left alone', () => {
  expect([tidy(0.1 * 0.001), tidy(0.1 * 3), tidy(5 / 9)]).toEqual([0.0001, 0.3, 5 / 9]);
});

import { type Static, Type } from 'typebox';

/** Units a point may carry, as shown to people. Energy registers are stored as counts of `resolution` in this unit. */
export const units = [
  'kWh',
  'kvarh',
  'kW',
  'kvar',
  'kVA',
  'V',
  'A',
  'Hz',
  '1',
  'm³',
  'm³/h',
  'L/h',
  '°C',
  'K',
  'kPa',
  '%',
  's',
  'Pa',
  'ppm',
  'm/s',
] as const;

export const Unit = Type.Enum(units);
export type Unit = Static<typeof Unit>;

/** A gauge moves both ways; a register is a counter that only grows until it rolls over. */
export const PointKind = Type.Union([Type.Literal('gauge'), Type.Literal('register'), Type.Literal('state')]);
export type PointKind = Static<typeof PointKind>;

/** Age makes a value stale; "estimated" belongs to intervals, not to samples. */
export const qualities = ['good', 'uncertain', 'bad'] as const;
export type Quality = (typeof qualities)[number];
export const Quality = Type.Enum(qualities);

/** The wire's and the database's number of a quality: 0 good, 1 uncertain, 2 bad. */
export const qualityCode = (quality: Quality): 0 | 1 | 2 => qualities.indexOf(quality) as 0 | 1 | 2;
export const qualityOf = (code: number): Quality => qualities[code] ?? 'bad';

import { HGrid } from 'haystack-core';
import { toDict } from './filter.ts';
import type { Model } from './model.ts';

/** Every record of the model: places, equipment, points, each with its tags. */
const records = ({ places, equipment, points }: Model) =>
  [...places, ...equipment, ...points].map(({ tags }) => tags);

const toGrid = (model: Model): HGrid => HGrid.make({ rows: records(model).map(toDict) });

/** The model in the JSON of Project Haystack 4 (Hayson). */
export const toHayson = (model: Model): string => JSON.stringify(toGrid(model).toJSON());

/** The model in Zinc. */
export const toZinc = (model: Model): string => toGrid(model).toZinc();

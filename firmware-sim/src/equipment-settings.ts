import type { Equipment } from './park.ts';

/** The `model` of a device in the park file, read field by field. Every reader throws naming device and field. */
export interface Settings {
  /** Above zero. */
  number(field: string): number;
  /** At least two, rising. */
  numbers(field: string): readonly number[];
  text(field: string): string;
  texts(field: string): readonly string[];
  oneOf<Word extends string>(field: string, words: readonly Word[]): Word;
}

export function createSettings({ key, model }: Equipment): Settings {
  const wrong = (field: string, wanted: string): Error =>
    new Error(`equipment ${key}: model.${field} must be ${wanted}, it is ${JSON.stringify(model[field])}`);
  return {
    number(field) {
      const value = model[field];
      if (typeof value === 'number' && value > 0) return value;
      throw wrong(field, 'a number above zero');
    },
    numbers(field) {
      const value = model[field];
      if (
        Array.isArray(value) &&
        value.length > 1 &&
        value.every((n, i) => Number.isInteger(n) && (i === 0 || n > value[i - 1]))
      )
        return value as number[];
      throw wrong(field, 'a list of rising whole numbers');
    },
    text(field) {
      const value = model[field];
      if (typeof value === 'string' && value !== '') return value;
      throw wrong(field, 'a text');
    },
    texts(field) {
      const value = model[field];
      if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value as string[];
      throw wrong(field, 'a list of texts');
    },
    oneOf(field, words) {
      const found = words.find((word) => word === model[field]);
      if (found !== undefined) return found;
      throw wrong(field, `one of ${words.join(', ')}`);
    },
  };
}

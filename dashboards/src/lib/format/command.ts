import type { CommandView } from '@parkline/contract';
import { formatQuantity } from './number.ts';

/** A value of a command's point as people say it: 18.5 °C, closed. */
export const formatCommandValue = (
  { unit, decimals, states }: Pick<CommandView, 'unit' | 'decimals' | 'states'>,
  value: number | null,
  language: string,
): string => (value !== null && states?.[value]) || formatQuantity(value, unit, decimals, language);

/** The code before the colon of a reason, for which there is a sentence in the reader's language; else undefined. */
export const reasonCode = (why: string | null): string | undefined => /^([a-z_-]+): /.exec(why ?? '')?.[1];

/** A reason without its code. */
export const reasonWords = (why: string | null): string => (why ?? '').replace(/^[a-z_-]+: /, '');

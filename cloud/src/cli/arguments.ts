import { InvalidArgumentError } from 'commander';

const number = (least: number, most: number, isWhole: boolean) => (text: string) => {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most && (!isWhole || Number.isInteger(value)))
    return value;
  throw new InvalidArgumentError(`a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}`);
};

/** How long a claim code holds. */
export const hours = number(0.01, 168, false);
/** How much of a log. */
export const lines = number(1, 2_000, true);

/**
 * Splits `total` by weight into whole units that sum exactly to it (largest remainder).
 * The units left over go to the largest remainders, ties to the earlier weight. A negative total is split like its
 * magnitude, so a credit mirrors the charge it takes back.
 * @throws RangeError when a weight is negative, or all weights are zero while the total is not.
 */
export function apportion(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((acc, weight) => acc + weight, 0n);
  if (weights.some((weight) => weight < 0n) || (sum === 0n && total !== 0n))
    throw new RangeError(`cannot split ${total} over weights summing to ${sum}`);
  if (total === 0n) return weights.map(() => 0n);
  if (total < 0n) return apportion(-total, weights).map((share) => -share);

  const shares = weights.map((weight) => (total * weight) / sum);
  const rests = weights.map((weight, index) => ({ index, rest: (total * weight) % sum }));
  rests.sort((a, b) => Number(b.rest > a.rest) - Number(b.rest < a.rest) || a.index - b.index);
  const left = Number(total - shares.reduce((acc, share) => acc + share, 0n));
  for (const { index } of rests.slice(0, left)) shares[index]! += 1n;
  return shares;
}

/** Deterministic noise: everything the simulator shows is a pure function of seed and time. */

/** 32-bit FNV-1a of a text, to make one seed from names. */
export function seedOf(...names: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const char of names.join('\u0000')) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  }
  return hash >>> 0;
}

/** A number in [-1, 1) for the lattice point `index` of `seed` (mixing steps of the public-domain lowbias32 hash). */
export function lattice(seed: number, index: number): number {
  let x = (seed ^ Math.imul(index | 0, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return ((x ^ (x >>> 16)) >>> 0) / 0x80000000 - 1;
}

/** Smooth noise in [-1, 1]: new random target each `periodMs`, joined without kinks. */
export function wave(seed: number, t: number, periodMs: number): number {
  const position = t / periodMs;
  const index = Math.floor(position);
  const u = position - index;
  const from = lattice(seed, index);
  return from + (lattice(seed, index + 1) - from) * u * u * (3 - 2 * u);
}

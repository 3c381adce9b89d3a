/** Order of two versions by semver.org clause 11: negative, 0 or positive. Pure. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map(partsOf) as [VersionParts, VersionParts];
  for (let n = 0; n < 3; n += 1) {
    const difference = (left.core[n] ?? 0) - (right.core[n] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  for (let n = 0; n < Math.min(left.pre.length, right.pre.length); n += 1) {
    const difference = comparePart(left.pre[n]!, right.pre[n]!);
    if (difference !== 0) return difference;
  }
  return left.pre.length - right.pre.length;
}

interface VersionParts {
  readonly core: readonly number[];
  readonly pre: readonly string[];
}

function partsOf(version: string): VersionParts {
  const at = version.indexOf('-');
  const core = at < 0 ? version : version.slice(0, at);
  return { core: core.split('.').map(Number), pre: at < 0 ? [] : version.slice(at + 1).split('.') };
}

/** Numbers are lower than words and compared as numbers. */
function comparePart(a: string, b: string): number {
  const [left, right] = [a, b].map((part) => (/^\d+$/.test(part) ? Number(part) : undefined));
  if (left !== undefined && right !== undefined) return left - right;
  if (left !== undefined || right !== undefined) return left === undefined ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

import type { Locked } from './lock.ts';

/** Which licences may come in. */
export interface LicencePolicy {
  /** SPDX identifiers that need no further thought. */
  readonly allowed: readonly string[];
  readonly exceptions: readonly LicenceException[];
}

export interface LicenceException {
  /** Name of a package; a * at its end stands for the rest of the name. */
  readonly package: string;
  /** What its package.json says, word for word; null where it says nothing. Anything else is refused again. */
  readonly licence: string | null;
  /** Pins the exception to one version: for a package whose licence was read from its files. */
  readonly version?: string;
  readonly reason: string;
}

/** Packages whose licence nobody has agreed to, and exceptions that nothing needs. */
export function licenceFaults(packages: readonly Locked[], { allowed, exceptions }: LicencePolicy): string[] {
  const used = new Set<LicenceException>();
  const faults: string[] = [];
  for (const one of packages) {
    if (one.license !== undefined && isAllowed(one.license, new Set(allowed))) continue;
    const exception = exceptions.find((candidate) => covers(candidate, one));
    if (exception) used.add(exception);
    else
      faults.push(
        `${one.path}: ${one.license ?? 'no licence'} is not on the list of deploy/scripts/supply/licences.json`,
      );
  }
  for (const exception of exceptions) {
    if (!used.has(exception))
      faults.push(`licences.json: nothing needs the exception of ${exception.package}`);
    if (exception.reason.trim() === '') faults.push(`licences.json: ${exception.package} gives no reason`);
  }
  return faults;
}

function covers({ package: name, licence, version }: LicenceException, one: Locked): boolean {
  const isNamed = name.endsWith('*') ? one.name.startsWith(name.slice(0, -1)) : one.name === name;
  return isNamed && licence === (one.license ?? null) && (version === undefined || version === one.version);
}

/** An SPDX expression of identifiers, AND, OR and brackets: one side of an OR is enough. Whatever else it holds is not allowed. */
export function isAllowed(expression: string, allowed: ReadonlySet<string>): boolean {
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const either = (): boolean => {
    let holds = both();
    while (words[at] === 'OR') {
      at += 1;
      holds = both() || holds;
    }
    return holds;
  };
  const both = (): boolean => {
    let holds = one();
    while (words[at] === 'AND') {
      at += 1;
      holds = one() && holds;
    }
    return holds;
  };
  const one = (): boolean => {
    const word = words[at];
    at += 1;
    if (word !== '(') return word !== undefined && allowed.has(word);
    const holds = either();
    at += 1;
    return holds && words[at - 1] === ')';
  };
  return either() && at === words.length;
}

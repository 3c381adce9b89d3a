/** One package of `package-lock.json` (lockfile version 3), as far as it is judged. */
export interface LockEntry {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly license?: string;
}

/** The lock file. Keys are paths from the root: '' the root itself, `edge` a workspace, `node_modules/x` what is installed. */
export interface Lock {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** A package that comes from outside. */
export interface Locked extends LockEntry {
  readonly name: string;
  readonly path: string;
}

/** Whatever is installed from outside, in order of path. */
export function lockedPackages({ packages }: Lock): Locked[] {
  return Object.entries(packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .map(([path, entry]) => ({ ...entry, path, name: entry.name ?? nameOf(path) }));
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 13);

/** A hash that npm can check a download against; nothing weaker than SHA-512 is taken. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;

/**
 * What is wrong with a lock file: entries that npm could not check, that name a place of their own (a lock without places
 * takes every package from the one registry that is configured), or that run a script on installing without somebody having
 * decided whether they may.
 * @param allowed `allowScripts` of package.json: name -> whether its scripts run.
 */
export function lockFaults(lock: Lock, allowed: Readonly<Record<string, boolean>>): string[] {
  if (lock.lockfileVersion !== 3) return ['package-lock.json: lockfileVersion is not 3'];
  const entries = lockedPackages(lock);
  const faults = entries.flatMap((entry) => entryFaults(entry, allowed));
  const asked = new Set(entries.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name));
  for (const [name, runs] of Object.entries(allowed))
    if (runs && !asked.has(name)) faults.push(`allowScripts: ${name} has no install script: take it out`);
  return [...faults, ...linkFaults(lock)];
}

function entryFaults(entry: Locked, allowed: Readonly<Record<string, boolean>>): string[] {
  const faults: string[] = [];
  const say = (what: string): void => void faults.push(`${entry.path}: ${what}`);
  if (entry.name !== nameOf(entry.path)) say(`is ${entry.name} under another name`);
  if (entry.resolved !== undefined)
    say(`comes from ${entry.resolved}: only packages of the registry, whose place is not written down`);
  if (entry.inBundle) say('lies inside another package, where nothing checks it');
  else if (!INTEGRITY.test(entry.integrity ?? '')) say('has no SHA-512 integrity');
  if (entry.hasInstallScript && !Object.hasOwn(allowed, entry.name))
    say('has an install script: decide in allowScripts of package.json whether it runs');
  return faults;
}

/** A link may lead to a workspace of this repository only. */
function linkFaults({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { link, resolved = '' }]) =>
    link &&
    !(Object.hasOwn(packages, resolved) && !resolved.includes('node_modules') && !resolved.startsWith('..'))
      ? [`${path}: is a link to ${resolved || 'nowhere'}, which is no workspace`]
      : [],
  );
}

const groups = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
] as const;
const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** Dependencies of one package.json that are not pinned to one version. */
export function pinFaults(file: string, manifest: Readonly<Record<string, unknown>>): string[] {
  return groups.flatMap((group) =>
    Object.entries((manifest[group] ?? {}) as Record<string, unknown>).flatMap(([name, wanted]) =>
      typeof wanted === 'string' && EXACT.test(wanted)
        ? []
        : [`${file}: ${group} asks for ${name} ${JSON.stringify(wanted)}: name one version`],
    ),
  );
}

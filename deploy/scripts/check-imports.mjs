// Who may import whom, and who may name a path of the API: tables and one pass. Exit 1 and one line per fault.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Folder -> folders of ours that it may import. Tests in tests/ may import everything. */
const packages = {
  'protocols/contract': [],
  'protocols/templates': ['protocols/contract'],
  'protocols/client': [], // Generated of what the server says: it knows nothing else.
  'protocols/kit': ['protocols/contract'],
  protocols: ['protocols/contract', 'protocols/kit'],
  edge: ['protocols'],
  cloud: ['protocols/contract', 'protocols/templates', 'protocols/client'], // The cloud never speaks to devices.
  dashboards: ['protocols/contract', 'protocols/templates', 'protocols/client'],
  'firmware-sim': [], // A simulator that shares a driver's code shares its mistakes.
};

/** Slices of the cloud, lowest first: a slice may know those above it in this list only where named. */
const slices = {
  platform: [],
  identity: [],
  records: ['identity'],
  imports: ['identity', 'records'],
  places: ['identity', 'records', 'imports'],
  tenancy: ['identity', 'records', 'imports', 'places'],
  fleet: ['identity', 'records', 'imports', 'places', 'tenancy'],
  provisioning: ['identity', 'imports', 'places', 'fleet'],
  updates: ['identity', 'fleet'],
  telemetry: ['identity', 'places', 'tenancy', 'fleet', 'provisioning', 'updates'],
  metering: ['identity', 'places', 'tenancy', 'fleet', 'telemetry'],
  billing: ['identity', 'places', 'tenancy', 'fleet', 'telemetry', 'metering'],
  faults: ['identity', 'places', 'fleet', 'telemetry'],
  commissioning: ['identity', 'places', 'fleet', 'telemetry', 'metering'],
  webhooks: ['identity'], // What happens comes as jobs.
  workorders: ['identity', 'places', 'tenancy', 'fleet', 'telemetry', 'faults'],
};

const part = (path, pattern) => pattern.exec(path)?.[1];
const unitOf = (path) => part(path, /^(protocols\/[^/]+|[^/]+)/);
const sliceOf = (path) => {
  const name = part(path, /^cloud\/src\/([^/]+)\//);
  return name === 'cli' ? undefined : name; // Like main.ts, the command line is a composition root.
};
const areaOf = (path) => part(path, /^dashboards\/src\/routes\/([^/]+)\//);
const inside = (path, folder) => path === folder || path.startsWith(`${folder}/`);
const isTest = (path) => /\.test\.ts$|\/testing(-[a-z]+)*\.ts$|\/conformance\.ts$/.test(path);

/** @returns why `from` may not import `to` (both paths from the root), or undefined. */
export function fault(from, spec, to) {
  if (unitOf(to) !== unitOf(from)) {
    if (isTest(from) && inside(to, 'tests/support')) return undefined;
    const rule = Object.keys(packages).find((folder) => inside(from, folder));
    if (!packages[rule].some((folder) => inside(to, folder)))
      return `${unitOf(from)} may not import ${unitOf(to)}`;
    return spec.startsWith('.') ? `import ${unitOf(to)} by its package name` : undefined;
  }
  if (areaOf(from) && areaOf(to) && areaOf(from) !== areaOf(to))
    return 'areas share through lib, not with each other';
  if (inside(from, 'dashboards/src/lib/ui') && inside(to, 'dashboards/src/lib/api'))
    return 'lib/ui never fetches';
  const [here, there] = [sliceOf(from), sliceOf(to)];
  if (!here || !there || here === there || there === 'platform') return undefined;
  if (!slices[here]) return `${here} is not in the list of slices in check-imports.mjs`;
  if (!slices[here].includes(there)) return `${here} may not know ${there}: use an event`;
  // A slice's testing.ts arranges its rows for the tests of the slices above it.
  if (isTest(from) && to.endsWith('/testing.ts')) return undefined;
  return to.endsWith('/index.ts') ? undefined : `reach ${there} through its index.ts`;
}

/** What speaks to the API by the generated client only: a path written by hand is one that no compiler checks. */
const byClient = ['dashboards/src/lib', 'dashboards/src/routes', 'cloud/src/cli', 'edge/src'];

/** @returns the paths of the API that `source` names and may not. */
export function pathsByHand(from, source) {
  if (isTest(from) || !byClient.some((folder) => inside(from, folder))) return [];
  return [...source.matchAll(/['"`}](\/api\/[^'"`\s]*)/g)].map(([, path]) => path);
}

/** Module specifiers of a source file: static, re-exported, side-effect and dynamic imports. */
export function specifiers(source) {
  return [...source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"\n]+)['"]/g)].map(([, spec]) => spec);
}

function resolve(from, spec, named) {
  if (spec.startsWith('.')) return posix.join(dirname(from), spec);
  if (spec.startsWith('#lib/')) return `dashboards/src/lib/${spec.slice(5)}`;
  const name = [...named.keys()].find((key) => spec === key || spec.startsWith(`${key}/`));
  return name && named.get(name);
}

function main() {
  const homes = globSync('{protocols/*,edge,cloud,dashboards,firmware-sim}').filter((home) =>
    existsSync(`${home}/package.json`),
  );
  const named = new Map(
    homes.map((home) => [JSON.parse(readFileSync(`${home}/package.json`, 'utf8')).name, home]),
  );
  let count = 0;
  for (const from of globSync('{protocols,edge,cloud,dashboards,firmware-sim}/**/*.{ts,svelte}', {
    exclude: (path) => /node_modules|\.svelte-kit|\/build$/.test(String(path)),
  })) {
    const source = readFileSync(from, 'utf8');
    const faults = [
      ...specifiers(source).flatMap((spec) => {
        const to = resolve(from, spec, named);
        const why = to && fault(from, spec, to);
        return why ? [`${spec}: ${why}`] : [];
      }),
      ...pathsByHand(from, source).map((path) => `${path}: call it by its name: ask(), hrefOf()`),
    ];
    count += faults.length;
    for (const why of faults) process.stderr.write(`${from}: ${why}\n`);
  }
  process.stdout.write(count ? `${count} faults\n` : 'import directions hold\n');
  process.exitCode = count ? 1 : 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) main();

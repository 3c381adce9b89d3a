import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { driverPackages } from '../../edge/src/drivers.ts';
import { billOfMaterials, type Part } from './supply/bom.ts';
import type { Lock } from './supply/lock.ts';

const root = join(import.meta.dirname, '../..');

/** What cannot be part of one text: it loads a compiled library that lies beside it. */
const NATIVE = '@serialport/bindings-cpp';
/** Optional parts of libraries that a gateway never uses: where they are asked for, they are missing as in the repository. */
const ABSENT = ['proper-lockfile', 'serialport'];

export interface BundleOptions {
  /** Replaced when it exists. */
  readonly out: string;
  readonly version: string;
  /** `<platform>-<arch>`: whose compiled libraries go along. */
  readonly platforms: readonly string[];
}

/**
 * Makes the gateway's program: agent, driver threads, command line and launcher as plain JavaScript in `lib`, templates and the one
 * native library beside it. It needs Node.js and nothing of this repository. Two runs over the same source give the same bytes.
 * @throws Error naming a module that cannot be bundled.
 */
export async function bundleGateway({ out, version, platforms }: BundleOptions): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const chunks = [
    ...(await bundle(programs(), join(out, 'lib'), version)),
    ...(await bundle({ launcher: 'edge/src/update/launcher.ts' }, out, version)),
  ];
  copyTemplates(join(out, 'templates'));
  const natives = copyNative(NATIVE, join(out, 'node_modules'), platforms);
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
  const folders = [...packagesOf(chunks), ...natives];
  writeFileSync(join(out, 'THIRD-PARTY.txt'), notices(folders));
  writeFileSync(join(out, 'sbom.cdx.json'), billOfMaterials('parkline-gateway', version, partsOf(folders)));
  const manifest = {
    name: 'parkline-gateway',
    version,
    private: true,
    type: 'module',
    license: 'Apache-2.0',
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Name of the file in `lib` -> source. */
function programs(): Record<string, string> {
  const require = createRequire(join(root, 'edge/package.json'));
  return {
    main: 'edge/src/main.ts',
    worker: 'edge/src/host/worker.ts',
    parkline: 'edge/src/cli/parkline.ts',
    ...Object.fromEntries(
      driverPackages.map(([protocol, name]) => [`driver-${protocol}`, require.resolve(name)]),
    ),
  };
}

async function bundle(input: Record<string, string>, dir: string, version: string): Promise<OutputChunk[]> {
  const build = await rolldown({
    ...{ cwd: root, input, platform: 'node', logLevel: 'silent' },
    external: [new RegExp(`^${NATIVE}(/|$)`), ...ABSENT],
    plugins: [
      {
        name: 'version',
        // The version of the release, not that of the workspace.
        load: (id) => (id === join(root, 'edge/package.json') ? JSON.stringify({ version }) : null),
      },
    ],
  });
  const { output } = await build.write({
    ...{ dir, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'part-[hash].js' },
    // Traces from the field name functions; comments are of no use there.
    ...{ minify: { mangle: false, compress: true, codegen: { removeWhitespace: false } }, comments: false },
  });
  await build.close();
  return output.filter((one) => one.type === 'chunk');
}

function copyTemplates(to: string): void {
  const from = join(root, 'protocols/templates');
  for (const path of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    if (!/^[^/]+\/[^/]+\.yaml$/.test(path) || path.startsWith('node_modules')) continue;
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(from, path), join(to, path));
  }
}

/** Copies a package and what it needs, of its compiled libraries only those of the platforms. @returns the folders copied. */
function copyNative(name: string, to: string, platforms: readonly string[]): string[] {
  const copied = new Map<string, string>();
  const visit = (wanted: string, from: string): void => {
    const folder = folderOf(wanted, from);
    if (copied.has(wanted)) return;
    copied.set(wanted, folder);
    const { dependencies = {} } = readJson(join(folder, 'package.json')) as {
      dependencies?: Record<string, string>;
    };
    // Only needed where it is compiled.
    for (const next of Object.keys(dependencies)) if (next !== 'node-addon-api') visit(next, folder);
  };
  visit(name, root);
  for (const [wanted, folder] of copied)
    cpSync(folder, join(to, wanted), {
      recursive: true,
      filter: (path) => isNeeded(folder, relative(folder, path), platforms),
    });
  return [...copied.values()];
}

function isNeeded(folder: string, path: string, platforms: readonly string[]): boolean {
  const [top = '', second] = path.split('/');
  const isCompiled = existsSync(join(folder, 'binding.gyp'));
  if (isCompiled && (top === 'src' || top === 'binding.gyp')) return false; // What its library was made of.
  if (top === 'node_modules') return false;
  if (/\.(d\.ts|map|md|ts)$/.test(path) || top.startsWith('.')) return false;
  return top !== 'prebuilds' || second === undefined || platforms.includes(second);
}

function folderOf(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (at === dirname(at)) throw new Error(`${name}, which ${from} needs, is not installed`);
  }
}

/** The folders of the packages whose code is in the chunks. */
function packagesOf(chunks: readonly OutputChunk[]): string[] {
  const ids = chunks.flatMap(({ moduleIds }) => moduleIds);
  return ids.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []);
}

/** Name, version and licence text of every package, each once, in order. */
function notices(folders: readonly string[]): string {
  const texts = new Map<string, string>();
  for (const folder of folders) {
    const {
      name,
      version,
      license = 'see below',
    } = readJson(join(folder, 'package.json')) as Record<string, string>;
    const file = readdirSync(folder).find((path) => /^(licen[cs]e|copying)(\.|-|$)/i.test(path));
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : '';
    texts.set(`${name} ${version}`, `${name} ${version} (${license})\n\n${text}\n`);
  }
  const line = `${'-'.repeat(80)}\n`;
  return [...texts.keys()]
    .sort()
    .map((key) => texts.get(key)!)
    .join(line);
}

/** The packages as a bill of materials names them, each with the hash that the lock file has of it. */
function partsOf(folders: readonly string[]): Part[] {
  const { packages } = readJson(join(root, 'package-lock.json')) as Lock;
  return folders.map((folder) => {
    const { name, version } = readJson(join(folder, 'package.json')) as { name: string; version: string };
    const entry = packages[relative(root, folder)];
    if (entry?.version !== version)
      throw new Error(`${name} ${version} is installed and not what the lock file asks for: run npm ci`);
    return { name, version, licence: entry.license, integrity: entry.integrity };
  });
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

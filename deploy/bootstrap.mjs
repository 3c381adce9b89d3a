// Makes the dependencies complete before anything else runs. Plain JavaScript without a dependency: it has to work on
// the oldest Node we accept, in a clone that has no node_modules yet.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const oldest = [20, 19];
/** The product itself runs on this; node_modules/.bin brings it where npm has a build for the system. */
const needed = [24, 7];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.parkline-stamp');
const say = (text) => process.stdout.write(`${text}\n`);

async function main() {
  if (isOlder(process.versions.node, oldest))
    throw new Error(
      `Parkline needs Node ${oldest.join('.')} or newer to begin with, and this is ${process.version}.`,
    );
  if (!isFresh()) {
    const release = await soleInstaller();
    // Another start may have installed everything while this one waited.
    if (!isFresh()) await install();
    release();
  }
  if (isOlder(process.versions.node, needed) && !existsSync(join(modules, '.bin', 'node')))
    throw new Error(
      `Parkline runs on Node ${needed.join('.')} or newer; npm has none for this system, so install it yourself.`,
    );
}

function isOlder(version, [major, minor]) {
  const [haveMajor = 0, haveMinor = 0] = version.split('.').map(Number);
  return haveMajor < major || (haveMajor === major && haveMinor < minor);
}

function isFresh() {
  if (!existsSync(modules)) return false;
  const wanted = stamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return true;
  // Installed by hand (npm ci, npm install): npm's own record says whether it is what the lock file asks for.
  if (!matchesLock()) return false;
  writeFileSync(stampFile, wanted);
  return true;
}

/** Changes with the lock file and with every package.json of the workspaces. */
function stamp() {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', 'package.json', ...workspaces()])
    hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function workspaces() {
  const { workspaces: patterns } = readJson('package.json');
  const folders = patterns.flatMap((pattern) =>
    pattern.endsWith('/*')
      ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => join(pattern.slice(0, -2), name))
      : [pattern],
  );
  return folders.map((folder) => join(folder, 'package.json')).filter((file) => existsSync(join(root, file)));
}

function matchesLock() {
  const record = join('node_modules', '.package-lock.json');
  if (!existsSync(join(root, record))) return false;
  const have = readJson(record).packages;
  const want = Object.entries(readJson('package-lock.json').packages).filter(([path]) =>
    path.includes('node_modules/'),
  );
  return want.every(([path, wanted]) =>
    have[path]
      ? have[path].version === wanted.version
      : wanted.optional === true || wanted.devOptional === true,
  );
}

const readJson = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

/** Waits until no other start installs into this folder. The kernel frees the name when its holder dies. */
async function soleInstaller() {
  if (process.platform !== 'linux') return () => undefined;
  const name = `\0parkline-install-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`;
  for (let told = false; ; told = true) {
    const server = createServer();
    const got = await new Promise((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
      server.listen(name);
    });
    if (got) return () => server.close();
    if (!told) say('another start is installing the dependencies; waiting for it');
    await sleep(500);
  }
}

async function install() {
  const began = Date.now();
  say('installing the dependencies (about a minute with an empty npm cache)');
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const child = spawn(npm[0], [...npm.slice(1), ...flags], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += bytes));
  const watch = followParent(child);
  const progress = setInterval(() => say(`  still installing, ${seconds(began)} s`), 15_000);
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve(1);
    });
    child.once('exit', resolve);
  });
  clearInterval(watch);
  clearInterval(progress);
  if (code !== 0)
    throw new Error(
      `the dependencies could not be installed:\n${output.trim().split('\n').slice(-20).join('\n')}`,
    );
  writeFileSync(stampFile, stamp());
  say(`dependencies installed in ${seconds(began)} s`);
}

/** A signal to npm ends npm and its shell and would leave this process installing alone. */
function followParent(child) {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid === parent) return;
    child.kill('SIGTERM');
    process.exit(1);
  }, 500);
}

const seconds = (began) => ((Date.now() - began) / 1000).toFixed(1);

try {
  await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

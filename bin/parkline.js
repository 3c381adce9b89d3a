#!/usr/bin/env node
// The one command `parkline`. Plain JavaScript, so that any Node can say what is wrong; the commands themselves are
// TypeScript and need Node >= 24, which the repository brings in node_modules/.bin.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const major = Number(process.versions.node.split('.')[0]);

/** Which part of the house a noun lives in; a noun of two has verbs of both. A gateway carries only edge/. */
const nouns = {
  alarms: 'edge',
  audit: 'cloud',
  billing: 'cloud',
  browse: 'edge',
  command: 'cloud',
  commissioning: 'cloud',
  config: 'edge',
  db: 'cloud',
  discover: 'edge',
  doctor: 'edge',
  gateway: ['edge', 'cloud'],
  login: 'cloud',
  logout: 'cloud',
  park: 'cloud',
  person: 'cloud',
  places: 'cloud',
  points: 'edge',
  read: 'edge',
  readings: 'cloud',
  release: 'edge',
  resync: 'edge',
  secrets: 'cloud',
  sim: 'firmware-sim',
  template: 'edge',
  watch: 'edge',
  write: 'edge',
  writing: 'edge',
};

if (major < 24) process.exitCode = again();
else await run();

function again() {
  const node = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(node)) {
    process.stderr.write(
      `parkline needs Node 24 and this is ${process.version}. Run "npm ci" in ${root}: it brings Node 24 along.\n`,
    );
    return 1;
  }
  const child = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  return child.status ?? 1;
}

async function run() {
  process.stdout.on('error', (error) => {
    // Whoever read along (head, less) has seen enough.
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  process.stderr.on('error', () => undefined); // Nobody is left to tell; what was begun still comes to its end.
  const { createProgram, exitCodeOf, pointToHelp } = await import(
    pathToFileURL(join(root, 'edge', 'src', 'cli', 'frame.ts')).href
  );
  const io = {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
  };
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const program = createProgram('Runs a business park from the field bus to the bill.', version);
  const asked = process.argv[2];
  const wanted = Object.hasOwn(nouns, asked ?? '') ? [asked] : Object.keys(nouns);
  try {
    for (const noun of wanted)
      for (const part of [nouns[noun]].flat()) {
        const file = join(root, part, 'src', 'cli', `${noun}.ts`);
        if (Array.isArray(nouns[noun]) && !existsSync(file)) continue; // The other part is not installed here.
        if (hasVerb(program, noun)) break; // The other part would only take time to load.
        const { register } = await import(pathToFileURL(file).href);
        register(program, io);
      }
    pointToHelp(program);
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error, io.err);
    if (process.env.PARKLINE_DEBUG && error instanceof Error) io.err(`${error.stack}\n`);
  }
}

/** Whether what was asked for is there already. */
function hasVerb(program, noun) {
  const verbs = program.commands.find((one) => one.name() === noun)?.commands ?? [];
  return verbs.some((one) => one.name() === process.argv[3]);
}

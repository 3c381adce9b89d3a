// `npm run sbom [-- --out FILE]`: what the whole repository is made of, as CycloneDX, by npm's own reading of the lock file.
// The bill of a gateway's bundle lies in the bundle. The same lock file gives the same bytes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { withNumber } from './supply/bom.ts';

const root = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'node_modules/.cache/parkline.cdx.json') } },
});
const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--sbom-type', 'application'];
const { stdout, stderr, status } = spawnSync('npm', args, {
  ...{ cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
});
if (status !== 0) {
  process.stderr.write(`npm sbom failed: ${stderr}\n`);
  process.exitCode = 1;
} else {
  const document = JSON.parse(stdout) as { metadata: { component: object }; components: unknown[] };
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  // npm calls it by its folder, which is somebody's own.
  const component = { ...document.metadata.component, name, version };
  const out = resolve(values.out);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, withNumber({ ...document, metadata: { ...document.metadata, component } }));
  process.stdout.write(`${document.components.length} components: ${out}\n`);
}

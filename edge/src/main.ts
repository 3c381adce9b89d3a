import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLean } from './base/lean.ts';
import { isSource } from './base/source.ts';
import manifest from '../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');

const role = startLean({
  program: import.meta.filename,
  // A bundle is never written into.
  caches: [...(isSource ? [join(root, 'node_modules/.cache/parkline-gateway')] : []), ...homeCache()],
  version: manifest.version,
});
/** Where the installation is read-only. */
function homeCache(): string[] {
  const { values } = parseArgs({ options: { home: { type: 'string' } }, strict: false });
  return typeof values.home === 'string' ? [join(values.home, 'cache')] : [];
}

if (role === 'warm-up') await (await import('./warm-up.ts')).warmUp();
else await (await import('./gateway.ts')).runGateway();

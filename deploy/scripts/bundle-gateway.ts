// Makes the bundle of the gateway's program: node deploy/scripts/bundle-gateway.ts --out DIR --release-version 1.4.0
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { contentHash } from '../../edge/src/update/release-file.ts';
import { listFiles } from '../../edge/src/update/pack.ts';
import { bundleGateway } from './bundle.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    'release-version': { type: 'string' },
    platforms: { type: 'string', default: 'linux-x64,linux-arm64' },
    check: { type: 'boolean', default: false },
  },
});
const { out, 'release-version': version, platforms, check } = values;
if (out === undefined || version === undefined) {
  process.stderr.write(
    'usage: bundle-gateway.ts --out DIR --release-version VERSION [--platforms LIST] [--check]\n',
  );
  process.exitCode = 2;
} else {
  const make = async (): Promise<string> => {
    await bundleGateway({ out: resolve(out), version, platforms: platforms.split(',') });
    return contentHash(listFiles(resolve(out)));
  };
  const hash = await make();
  // --check: the same source must give the same bytes again.
  const again = check ? await make() : hash;
  if (again !== hash) {
    process.stderr.write(`two builds differ: ${hash} and ${again}\n`);
    process.exitCode = 1;
  } else process.stdout.write(`${hash}  ${version}  ${out}\n`);
}

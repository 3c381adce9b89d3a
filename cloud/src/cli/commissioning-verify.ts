import { createPublicKey } from 'node:crypto';
import type { Command } from 'commander';
import { verifyReport } from '../commissioning/index.ts';
import { type Io, readArgument, readBytes } from './io.ts';

/** `parkline commissioning verify`: for whoever was handed a report. */
export function registerVerify(commissioning: Command, io: Io): void {
  commissioning
    .command('verify')
    .description('check a report file: its seal, its text and its paper; needs neither a park nor a login')
    .argument('<file>', 'file that report --file wrote')
    .option(
      '--key <file>',
      'public key of the cloud (PEM); without it its fingerprint is told, for comparison',
    )
    .option('--pdf <file>', 'a PDF that must be the one that was sealed')
    .action((path: string, options: { key?: string; pdf?: string }) => {
      const trusted = options.key === undefined ? undefined : createPublicKey(readArgument(io, options.key));
      const text = readArgument(io, path);
      const result = verifyReport(text, trusted);
      const why = result.ok ? pdfFault(io, text, options.pdf) : whys[result.why];
      if (!result.ok || why !== undefined) {
        io.err(`${path}: ${why ?? ''}\n`);
        process.exitCode = 1;
        return;
      }
      const { content, signatures, pdfSha256 } = result.proof;
      const names = signatures.map(({ as, personName }) => `${personName} (${as})`).join(', ');
      io.out(`${content.number}  ${content.meters.length} meters  signed by ${names}  pdf ${pdfSha256}\n`);
      if (!trusted) io.err(`sealed with the key ${result.fingerprint}: compare it with that of your cloud\n`);
    });
}

const whys = {
  unreadable: 'this is no report file, or not as it was written',
  key: 'another key sealed it',
  signature: 'the seal does not fit the text: it was changed',
  pdf: 'the paper is not the one that was sealed',
} as const;

function pdfFault(io: Io, text: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const sealed = Buffer.from((JSON.parse(text) as { pdf: string }).pdf, 'base64');
  return readBytes(io, path).equals(sealed) ? undefined : `${path} is another paper`;
}

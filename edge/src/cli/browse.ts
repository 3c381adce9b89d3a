import type { Command } from 'commander';
import type { Found } from '@parkline/kit';
import { addLinkOptions, type LinkOptions } from '../bench/link-options.ts';
import { asJson, progress, withBench } from '../bench/run.ts';
import { exit, type Io, table } from './io.ts';

type Options = LinkOptions & { readonly json?: true };

/** `parkline browse`: what a device offers. */
export function register(program: Command, io: Io): void {
  addLinkOptions(
    program
      .command('browse')
      .description('list what a device offers')
      .argument('<from>', 'protocol, with options that say where; or a device of the gateway, by name or id'),
  )
    .option('--json', 'print one JSON array')
    .addHelpText(
      'after',
      `
Examples:
  parkline browse bacnet --who-is 192.168.1.255 --instance 2001
  parkline browse opcua --endpoint opc.tcp://192.168.1.30:4840 --fingerprint 3f...
  parkline browse "Air handling unit 1" --home /var/lib/parkline`,
    )
    .action((from: string, options: Options) => run(io, from, options));
}

async function run(io: Io, from: string, options: Options): Promise<void> {
  await withBench(io, from, options, async (bench, signal) => {
    const driver = bench.device();
    const found: Found[] = [];
    const shown = progress(io);
    shown.show('asking');
    for await (const one of driver.browse(signal)) {
      found.push(one);
      shown.show(`${found.length}: ${one.label}`);
    }
    shown.clear();
    if (options.json) io.out(asJson(found));
    else if (found.length > 0) io.out(rowsOf(found));
    if (found.length > 0) return;
    io.err(`${bench.protocol} does not tell what it holds: take a template (parkline template list)\n`);
    process.exitCode = exit.failed;
  });
}

const rowsOf = (found: readonly Found[]): string =>
  table(
    ['ADDRESS', 'NAME', 'WRITABLE', 'SHOWS'],
    found.map(({ address, label, writable, facts = {} }) => [
      ...[address, label, writable ? 'yes' : 'no'],
      Object.entries(facts)
        .map(([key, value]) => (key === 'value' ? value : `${key} ${value}`))
        .join(', '),
    ]),
  );

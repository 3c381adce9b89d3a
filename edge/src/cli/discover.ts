import type { Command } from 'commander';
import type { FoundDevice } from '@parkline/kit';
import { protocols } from '../bench/direct.ts';
import { addLinkOptions, type LinkOptions } from '../bench/link-options.ts';
import { asJson, progress, withBench } from '../bench/run.ts';
import { exit, type Io, number, table, UsageError } from './io.ts';

interface Options extends LinkOptions {
  readonly from?: number;
  readonly to?: number;
  readonly json?: true;
}

/** Highest device instance of BACnet that is one. */
const MAX_ID = 4_194_302;

/** `parkline discover`: which devices answer. */
export function register(program: Command, io: Io): void {
  addLinkOptions(
    program
      .command('discover')
      .description('search a network, a line, a server or a broker for devices')
      .argument('<protocol>', protocols.join(', ')),
  )
    .option(
      '--from <n>',
      'first device instance (BACnet) or unit id (Modbus)',
      number('--from', 0, MAX_ID, true),
    )
    .option('--to <n>', 'last of them', number('--to', 0, MAX_ID, true))
    .option('--json', 'print one JSON array')
    .addHelpText(
      'after',
      `
Examples:
  parkline discover bacnet --who-is 192.168.1.255
  parkline discover modbus --tcp 192.168.1.20 --from 1 --to 32
  parkline discover modbus --serial /dev/ttyUSB0 --baud 9600
  parkline discover opcua --endpoint opc.tcp://192.168.1.30:4840
  parkline discover mqtt --broker mqtt://192.168.1.40`,
    )
    .action((protocol: string, options: Options) => run(io, protocol, options));
}

async function run(io: Io, protocol: string, options: Options): Promise<void> {
  if (!protocols.includes(protocol))
    throw new UsageError(`${protocol} is no protocol; there are ${protocols.join(', ')}`);
  if (options.from !== undefined && options.to !== undefined && options.from > options.to)
    throw new UsageError(`--from ${options.from} is beyond --to ${options.to}`);
  const range = {
    ...(options.from !== undefined && { from: options.from }),
    ...(options.to !== undefined && { to: options.to }),
  };
  await withBench(io, protocol, options, async ({ connection }, signal) => {
    if (!connection.discover) throw new Error(`${protocol} cannot be searched: name the device`);
    const found: FoundDevice[] = [];
    const shown = progress(io);
    shown.show('searching');
    for await (const device of connection.discover(range, signal)) {
      found.push(device);
      shown.show(`${found.length} found: ${device.label}`);
    }
    shown.clear();
    io.out(options.json ? asJson(found) : rowsOf(found));
    if (found.length > 0) return;
    io.err('nobody answered: check the address to ask at, the range, and the firewall\n');
    process.exitCode = exit.failed;
  });
}

function rowsOf(found: readonly FoundDevice[]): string {
  if (found.length === 0) return '';
  const words = (facts: Readonly<Record<string, unknown>>): string =>
    Object.entries(facts)
      .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', ');
  return table(
    ['DEVICE', 'REACHED BY', 'FACTS'],
    found.map(({ label, params, facts }) => [label, words(params), words(facts)]),
  );
}

import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { WRITING_OFF_FILE } from '../config/load.ts';
import { createWritingSwitch, type WritingSwitch } from '../writing/switch.ts';
import { gatewayHome, type Io } from './io.ts';

interface Options {
  readonly home?: string;
  readonly json?: true;
}

/** `parkline writing`: the local switch. While it is off the gateway writes nothing for anybody far away. */
export function register(program: Command, io: Io): void {
  const writing = program
    .command('writing')
    .description('whether this gateway carries out remote commands')
    .addHelpText(
      'after',
      `
Examples:
  parkline writing off --home /var/lib/parkline
  parkline writing status --home /var/lib/parkline --json`,
    );
  const add = (name: string, description: string, act: (to: WritingSwitch) => void): void => {
    writing
      .command(name)
      .description(description)
      .option('--home <dir>', 'home of the gateway')
      .option('--json', 'print JSON')
      .action((options: Options) => {
        const to = switchOf(io, options);
        act(to);
        tell(io, to, options);
      });
  };
  add('off', 'stop all remote writing at once, also what is to be given back', (to) => {
    to.turnOff({ at: Date.now(), by: userInfo().username });
  });
  add('on', 'carry out remote commands again', (to) => {
    to.turnOn();
  });
  add('status', 'say whether remote writing is on', () => undefined);
}

/** @throws Error when there is no gateway: a switch in the wrong folder would stop nothing. */
function switchOf(io: Io, { home: named }: Options): WritingSwitch {
  const home = gatewayHome(io, named);
  if (!existsSync(join(home, 'gateway.yaml')))
    throw new Error(`${home} is no home of a gateway: it has no gateway.yaml`);
  return createWritingSwitch(join(home, WRITING_OFF_FILE));
}

function tell(io: Io, to: WritingSwitch, { json }: Options): void {
  const off = to.off();
  if (json)
    io.out(
      `${JSON.stringify({ writing: off ? 'off' : 'on', since: off?.at ?? null, by: off?.by ?? null })}\n`,
    );
  else if (!off) io.out('remote writing is on\n');
  else {
    const since = off.at === null ? '' : ` since ${new Date(off.at).toISOString()}`;
    io.out(`remote writing is off${since}${off.by === null ? '' : ` by ${off.by}`}\n`);
  }
}

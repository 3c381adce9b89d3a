import { setTimeout as sleep } from 'node:timers/promises';
import type { Item } from '@parkline/client';
import type { CommandState, CommandView } from '@parkline/contract';
import { type Command, InvalidArgumentError } from 'commander';
import type { WhoFlags } from './api-key.ts';
import type { Io } from './io.ts';
import { type Session, whoOptions, withSession } from './session.ts';

/** Longest that `--wait` waits: a command lives a minute, and its answer has a moment more. */
const WAIT_MS = 90_000;
const LOOK_MS = 300;

interface Common extends WhoFlags {
  readonly json?: true;
}

/** `parkline command`: orders to write a point, through the API and so with the rights of a person. */
export function register(program: Command, io: Io): void {
  const command = program.command('command').description('write points of a park from afar');
  const common = (name: string, description: string): Command =>
    whoOptions(command.command(name).description(description)).option('--json', 'print JSON');
  registerSend(common, io);
  common('list', 'list the latest orders')
    .option('--state <state>', 'only those in this state: awaiting_approval, sent, done, ...')
    .action((options: Common & { state?: string }) =>
      withSession(io, { ...options, role: 'facility_engineer' }, async (session) => {
        const state = options.state as CommandState | undefined; // What is none of these the API refuses.
        const { items } = await session.ask('listCommands', { query: { limit: 50, state } });
        io.out(options.json ? `${JSON.stringify(items)}\n` : items.map((one) => `${line(one)}\n`).join(''));
        if (items.length === 0 && !options.json) io.err('no such order\n');
      }),
    );
  for (const [name, operation, description] of [
    ['approve', 'approveCommand', 'be the second person'],
    ['reject', 'rejectCommand', 'refuse to be the second person'],
  ] as const)
    common(name, description)
      .argument('<id>', 'id of the order')
      .action((id: string, options: Common) =>
        withSession(io, { ...options, role: 'supervisor' }, async (session) => {
          print(io, options, await session.ask(operation, { path: { id } }));
        }),
      );
}

interface SendOptions extends Common {
  readonly reason: string;
  readonly hold?: number;
  readonly wait?: true;
}

function registerSend(common: (name: string, description: string) => Command, io: Io): void {
  common('send', 'order a write')
    .argument('<point>', 'id of the point, or <equipment>/<key>: "AHU A-1/supply_air_temperature_setpoint"')
    .argument('<value>', 'in the unit of the point; "release" gives the point back', valueOf)
    .requiredOption('--reason <text>', 'why, for those who look later')
    .option('--hold <s>', 'give the point back after this time', secondsOf)
    .option('--wait', 'wait for the outcome; exit 1 unless the device shows the value')
    .action((point: string, value: number | 'release', options: SendOptions) =>
      withSession(io, { ...options, role: 'facility_engineer' }, async (session) => {
        const id = await pointId(session, point);
        const sent = await session.ask('createPointCommand', {
          path: { id },
          body: {
            value: value === 'release' ? null : value,
            reason: options.reason,
            ...(options.hold !== undefined && { holdS: options.hold }),
          },
        });
        const told = options.wait ? await outcome(session, sent) : sent;
        print(io, options, told);
        if (options.wait && told.state !== 'done' && told.state !== 'released') process.exitCode = 1;
      }),
    );
}

function valueOf(text: string): number | 'release' {
  if (text === 'release') return text;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('not a number, and not "release"');
  return value;
}

function secondsOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('not a whole number of seconds');
  return Number(text);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws Error naming what is not there, or not one. */
async function pointId(session: Session, named: string): Promise<string> {
  if (UUID.test(named)) return named;
  const at = named.lastIndexOf('/');
  if (at < 1) throw new Error(`${named} is no id of a point, and not <equipment>/<key>`);
  const [device, key] = [named.slice(0, at), named.slice(at + 1)];
  const found = await equipmentCalled(session, device);
  if (found.length !== 1)
    throw new Error(
      found.length === 0 ? `there is no equipment ${device}` : `several are called ${device}: give its id`,
    );
  const points = await session.all('listPoints', { query: { equipment: found[0]!.id } });
  const point = points.find((one) => one.key === key);
  if (point) return point.id;
  const writable = points.filter(({ write }) => write).map((one) => one.key);
  throw new Error(`${device} has no point ${key}; writable are: ${writable.join(', ') || 'none'}`);
}

/** Of that id, or of that name: in whichever language, so that a script works in every terminal. */
async function equipmentCalled(session: Session, device: string): Promise<readonly Item<'listEquipment'>[]> {
  for (const language of ['en', 'zh-CN']) {
    const all = await session.all('listEquipment', {}, { headers: { 'accept-language': language } });
    const found = all.filter(({ id, name }) => id === device || name.toLowerCase() === device.toLowerCase());
    if (found.length > 0) return found;
  }
  return [];
}

/** The command when its outcome is known, or as it stands when that takes too long or needs a second person. */
async function outcome(session: Session, sent: CommandView): Promise<CommandView> {
  let told = sent;
  const giveUpAt = performance.now() + WAIT_MS;
  while ((told.state === 'queued' || told.state === 'sent') && performance.now() < giveUpAt) {
    await sleep(LOOK_MS);
    told = await session.ask('getCommand', { path: { id: sent.id } });
  }
  return told;
}

const print = (io: Io, { json }: Common, command: CommandView): void =>
  io.out(json ? `${JSON.stringify(command)}\n` : `${line(command)}\n`);

function line({
  id,
  equipmentName,
  pointName,
  value,
  unit,
  state,
  before,
  after,
  why,
  actor,
}: CommandView): string {
  const what = value === null ? 'given back' : `${value}${unit === '1' ? '' : ` ${unit}`}`;
  const shown = after === null ? '' : ` (${before ?? '?'} -> ${after})`;
  return `${id}  ${state}  ${equipmentName}: ${pointName} = ${what}${shown}  by ${actor.name}${why ? `  ${why}` : ''}`;
}

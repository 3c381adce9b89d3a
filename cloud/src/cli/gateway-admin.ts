import { setTimeout as sleep } from 'node:timers/promises';
import type {
  Gateway,
  GatewayConfigText,
  GatewayConfigView,
  GatewayIdentityView,
  GatewayMapping,
} from '@parkline/contract';
import type { Command } from 'commander';
import type { WhoFlags } from './api-key.ts';
import { hours, lines } from './arguments.ts';
import { codeNotes, diffNote, diffText, rotationText, takenOver } from './gateway-words.ts';
import { type Io, readArgument } from './io.ts';
import { type Session, whoOptions, withSession } from './session.ts';

interface Common extends WhoFlags {
  readonly json?: true;
}

/** Longest that `apply` waits: a trial on the gateway takes two minutes, and it may be away for a moment. */
const WAIT_MS = 150_000;
const LOOK_MS = 500;

/** Verbs on gateways through the API, and so with the rights of a person: exit code 1 when the cloud or the gateway refuses, 3 when nothing was heard in time. */
export function registerAdmin(gateway: Command, io: Io): void {
  const add = adder(gateway);
  const as = role(io);
  add('list', 'list the gateways of the park').action((options: Common) =>
    as('facility_engineer', options, async (session) => {
      const items = await session.all('listGateways');
      const rows = items.map(({ key, name, state, version, lastSeenAt, clock, devices }) => [
        ...[key, name, state, version ?? '-', lastSeenAt ?? '-'],
        ...[clockWords(clock), `${devices.online}/${devices.total}`],
      ]);
      const heads = ['KEY', 'NAME', 'STATE', 'VERSION', 'LAST HEARD', 'CLOCK', 'DEVICES'];
      print(io, options, items, table(heads, rows));
    }),
  );
  add('show', 'show one gateway: its steps, keys and health')
    .argument('<gateway>', 'key or id')
    .action((named: string, options: Common) =>
      as('facility_engineer', options, async (session) => {
        const one = await find(session, named);
        const identity = await session.ask('getGateway', { path: { id: one.id } });
        print(io, options, { ...one, ...identity, name: one.name }, shown(one, identity));
      }),
    );
  add('claim-code', 'make a one-time code by which a gateway joins; it is shown once')
    .argument('<gateway>', 'key or id')
    .option('--hours <n>', 'how long it holds, 168 at most', hours, 24)
    .action((named: string, options: Common & { hours: number }) =>
      as('account_admin', options, async (session) => {
        const { id, key } = await find(session, named);
        const path = { id };
        const before = await session.all('listGatewayClaimCodes', { path });
        const gateway = await session.ask('getGateway', { path });
        const body = { hours: options.hours };
        const made = await session.ask('createGatewayClaimCode', { path, body });
        print(io, options, made, `${made.code}\n`);
        if (!options.json) io.err(codeNotes(key, gateway, { made, before }));
      }),
    );
  add('revoke', 'throw a gateway out: it is off within two seconds, and comes back by a new code only')
    .argument('<gateway>', 'key or id')
    .requiredOption('--name <name>', 'its name, so that it is not another one by mistake')
    .action((named: string, options: Common & { name: string }) =>
      as('account_admin', options, async (session) => {
        const { id, key } = await find(session, named);
        const body = { name: options.name };
        const view = await session.ask('revokeGateway', { path: { id }, body });
        print(io, options, view, `${key} is revoked\n`);
      }),
    );
  add('rotate', 'have a gateway make new keys; the old ones are thrown out when it has connected with them')
    .argument('<gateway>', 'key or id')
    .action((named: string, options: Common) =>
      as('account_admin', options, async (session) => {
        const { id, key, state } = await find(session, named);
        const view = await session.ask('rotateGateway', { path: { id } });
        print(io, options, view, `${rotationText(key, state, view)}\n`);
      }),
    );
  add('logs', 'print the last lines of the log of a gateway')
    .argument('<gateway>', 'key or id')
    .option('--lines <n>', 'how many, 2000 at most', lines, 200)
    .action((named: string, options: Common & { lines: number }) =>
      as('facility_engineer', options, async (session) => {
        const { id } = await find(session, named);
        const log = await session.ask('readGatewayLog', { path: { id }, body: { lines: options.lines } });
        print(io, options, log, log.lines.map((line) => `${line}\n`).join(''));
        if (log.truncated && !options.json) io.err('older lines were left out: the answer has a limit\n');
      }),
    );
  registerMapping(add, io);
}

function registerMapping(add: ReturnType<typeof adder>, io: Io): void {
  add('mapping', 'show what was mapped on a gateway and the cloud does not know; with --accept take it over')
    .argument('<gateway>', 'key or id')
    .option('--accept', 'make the devices and points here, under the ids that they have there')
    .action((named: string, options: Common & { accept?: true }) =>
      role(io)('facility_engineer', options, async (session) => {
        const { id, key, buildingId } = await find(session, named);
        const items = await session.all('listGatewayMappings', { path: { id } });
        const offered = items.find(({ state }) => state === 'offered');
        if (!offered) return print(io, options, null, 'nothing is offered\n');
        const path = { id, mappingId: offered.id };
        const { changes } = options.accept ? await session.ask('acceptGatewayMapping', { path }) : offered;
        const text = mappingText(offered);
        print(io, options, { ...offered, changes }, text);
        if (offered.changes.some(({ what }) => what === 'conflict')) process.exitCode = 3;
        if (options.json) return;
        if (!options.accept) return io.err('nothing was taken over; --accept does\n');
        const building = await session.ask('getBuilding', { path: { id: buildingId } });
        io.err(`${takenOver(offered, building.name.en ?? building.key)}\n`);
        io.err(`next: parkline gateway show ${key} says when the first value has come\n`);
      }),
    );
}

const mappingText = ({ changes }: GatewayMapping): string =>
  table(
    ['WHAT', 'DEVICE', 'PROTOCOL', 'POINTS', 'WHY NOT'],
    changes.map(({ what, name, protocol, points, why }) => [
      ...[what, name, protocol, `${points.add} new, ${points.same} known`, why],
    ]),
  );

/** `parkline gateway config list|diff|apply`. */
export function registerConfig(config: Command, io: Io): void {
  const add = adder(config);
  const as = role(io);
  add('list', 'list the configurations that were offered, and what became of each')
    .argument('<gateway>', 'key or id')
    .action((named: string, options: Common) =>
      as('facility_engineer', options, async (session) => {
        const { id } = await find(session, named);
        const items = await session.all('listGatewayConfigs', { path: { id } });
        const rows = items.map(({ n, createdAt, createdBy, source, state, why }) => [
          ...[String(n), createdAt, createdBy ?? '-', source, state, why],
        ]);
        print(io, options, items, table(['VERSION', 'AT', 'BY', 'FROM', 'STATE', 'WHY'], rows));
      }),
    );
  add('diff', 'say what would change: by what the cloud knows, or by a file')
    .argument('<gateway>', 'key or id')
    .option('--file <yaml>', 'a whole gateway.yaml; - for standard input')
    .action((named: string, options: Common & { file?: string }) => {
      const body = bodyOf(io, options);
      return as('facility_engineer', options, async (session) => {
        const { id } = await find(session, named);
        const diff = await session.ask('diffGatewayConfig', { path: { id }, body });
        if (!options.json) io.err(diffNote(named, diff));
        print(io, options, diff, diffText(diff));
      });
    });
  add('apply', 'send a configuration to a gateway, on trial, and wait for what becomes of it')
    .argument('<gateway>', 'key or id')
    .option('--file <yaml>', 'a whole gateway.yaml; - for standard input; else what the cloud knows')
    .option('--no-wait', 'do not wait')
    .action((named: string, options: Common & { file?: string; wait: boolean }) => {
      const body = bodyOf(io, options);
      return as('account_admin', options, async (session) => {
        const { id } = await find(session, named);
        const made = await session.ask('createGatewayConfig', { path: { id }, body });
        const { yaml: _yaml, ...last } = options.wait ? await outcome(session, id, made) : made;
        print(io, options, last, `version ${last.n}: ${last.state}${last.why ? `: ${last.why}` : ''}\n`);
        if (options.wait) process.exitCode = exitOf(last.state);
      });
    });
}

const bodyOf = (io: Io, { file }: { readonly file?: string }) =>
  file === undefined ? {} : { yaml: readArgument(io, file) };

const exitOf = (state: GatewayConfigView['state']): number =>
  state === 'kept' ? 0 : state === 'refused' || state === 'rolled-back' || state === 'overtaken' ? 1 : 3;

async function outcome(session: Session, id: string, made: GatewayConfigText): Promise<GatewayConfigText> {
  let last = made;
  const giveUpAt = performance.now() + WAIT_MS;
  while (['waiting', 'sent', 'applied'].includes(last.state) && performance.now() < giveUpAt) {
    await sleep(LOOK_MS);
    last = await session.ask('getGatewayConfig', { path: { id, n: made.n } });
  }
  return last;
}

const adder = (parent: Command) => (name: string, description: string) =>
  whoOptions(parent.command(name).description(description)).option('--json', 'print one JSON document');

const role = (io: Io) => (who: string, options: Common, work: (session: Session) => Promise<void>) =>
  withSession(io, { ...options, role: who }, work);

const print = (io: Io, { json }: Common, value: unknown, text: string): void =>
  io.out(json ? `${JSON.stringify(value)}\n` : text);

/** @throws Error naming those that there are. */
async function find(session: Session, named: string): Promise<Gateway> {
  const gateways = await session.all('listGateways');
  const found = gateways.find(({ id, key }) => id === named || key === named);
  if (found) return found;
  throw new Error(
    `there is no gateway ${named}; there are: ${gateways.map(({ key }) => key).join(', ') || 'none'}`,
  );
}

/** 'ok', or by how much it is off: '+3.0 s'. */
function clockWords(clock: Gateway['clock']): string {
  if (!clock) return '-';
  if (clock.state === 'good') return 'ok';
  return `${clock.skewMs > 0 ? '+' : ''}${(clock.skewMs / 1_000).toFixed(1)} s`;
}

const held = 'readings are kept and not billed';

function shown(one: Gateway, { steps, credentials, revokedAt, rotation }: GatewayIdentityView): string {
  const line = (name: string, value: string | null | undefined): string =>
    `${name.padEnd(14)}${value ?? '-'}\n`;
  const { outbox } = one;
  return [
    line('gateway', `${one.key}  ${one.name}  ${one.id}`),
    line('state', `${one.state}${revokedAt ? ` since ${revokedAt}` : ''}`),
    line('version', one.version),
    line('last heard', one.lastSeenAt),
    line(
      'clock',
      one.clock &&
        `${clockWords(one.clock)}${one.clock.state === 'held' ? `, ${held}` : ''}, seen ${one.clock.measuredAt}`,
    ),
    line('devices', `${one.devices.online} of ${one.devices.total} answer`),
    line('outbox', outbox && `${outbox.pending} messages wait, ${outbox.bytes} of ${outbox.maxBytes} bytes`),
    line('code made', steps.codeMadeAt),
    line('claimed', steps.claimedAt),
    line('connected', steps.connectedAt),
    line('configured', steps.configuredAt),
    line('first value', steps.firstValueAt),
    line('credentials', credentials && `until ${credentials.expiresAt}, renewed from ${credentials.renewAt}`),
    line('key', credentials && `sha256/${credentials.fingerprint}`),
    ...(rotation ? [line('rotation', `asked ${rotation.askedAt}, until ${rotation.until}`)] : []),
    ...(credentials?.failure ? [line('not signed', credentials.failure)] : []),
  ].join('');
}

/** Columns as wide as their widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

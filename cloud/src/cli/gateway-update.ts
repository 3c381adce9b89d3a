import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GatewayUpdate, Release, Rollout, RolloutBody } from '@parkline/contract';
import { type Command, InvalidArgumentError } from 'commander';
import type { WhoFlags } from './api-key.ts';
import type { Io } from './io.ts';
import { type Session, whoOptions, withSession } from './session.ts';

const LOOK_MS = 1_000;
/** A trial takes two minutes; a slow line needs more for the release itself. */
const WAIT_MS = 15 * 60_000;

interface Options extends WhoFlags {
  readonly release?: string;
  readonly share?: number;
  readonly url?: string;
  readonly wait?: true;
  readonly stop?: true;
  readonly json?: true;
}

/** `parkline gateway update`: another version of the program, for one gateway or a share of all. */
export function registerUpdate(gateway: Command, io: Io): void {
  whoOptions(
    gateway
      .command('update')
      .description(
        'update the program of a gateway, or say how far that is; status is what is told without --release',
      )
      .argument('<gateway>', 'key or id; "all" with --share')
      .argument('[status]', 'say how far the latest update is')
      .option('--release <file|version|id>', 'release file to bring in, or one that lies in the cloud')
      .option('--share <part>', 'with "all": part of all gateways, 0.1 is a tenth', partOf)
      .option('--url <https>', 'where the gateways fetch the release file instead')
      .option('--wait', 'wait for the end; exit 1 unless the gateway keeps the release')
      .option('--stop', 'take back what is not replaced yet')
      .option('--json', 'print JSON'),
  )
    .addHelpText(
      'after',
      `
Examples:
  parkline gateway update gw-a --release parkline-gateway-1.4.0.release --wait
  parkline gateway update all --share 0.1 --release 1.4.0
  parkline gateway update gw-a status`,
    )
    .action((named: string, status: string | undefined, options: Options) =>
      withSession(io, { ...options, role: 'account_admin' }, (session) =>
        run(io, session, { named, status, options }),
      ),
    );
}

function partOf(text: string): number {
  const part = Number(text);
  if (!(part > 0 && part <= 1)) throw new InvalidArgumentError('a part is above 0 and at most 1');
  return part;
}

async function run(
  io: Io,
  session: Session,
  { named, status, options }: { named: string; status: string | undefined; options: Options },
): Promise<void> {
  if (status !== undefined && status !== 'status') throw usage(`what is ${status}? Only "status" may follow`);
  if ((named === 'all') !== (options.share !== undefined))
    throw usage('--share goes with "all", and only with it');
  if (named === 'all')
    return rollOut(io, session, options, { ...(options.share !== undefined && { share: options.share }) });
  const gateways = await session.all('listGateways');
  const gateway = gateways.find(({ id, key }) => id === named || key === named);
  if (!gateway) throw new Error(`there is no gateway ${named}`);
  if (options.stop) return stop(io, session, gateway.id, options);
  if (options.release !== undefined) return rollOut(io, session, options, { gatewayIds: [gateway.id] });
  const { update } = await session.ask('getGatewayUpdate', { path: { id: gateway.id } });
  print(io, options, update ? [update] : []);
}

/** One gateway, or a share of all. */
type Part = Pick<RolloutBody, 'gatewayIds' | 'share'>;

async function rollOut(io: Io, session: Session, options: Options, to: Part): Promise<void> {
  const { id: releaseId } = await releaseOf(io, session, options.release ?? '');
  const url = options.url === undefined ? {} : { url: options.url };
  const rollout = await session.ask('createRollout', { body: { releaseId, ...to, ...url } });
  const told = options.wait ? await ended(session, rollout) : rollout.gateways;
  print(io, options, told);
  if (options.wait && told.some(({ state }) => state !== 'kept')) process.exitCode = 1;
}

/** A version or an id that lies in the cloud; else a file, which is brought in. */
async function releaseOf(io: Io, session: Session, named: string): Promise<Release> {
  const releases = await session.all('listReleases');
  const known = releases.find(({ id, version }) => id === named || version === named);
  if (known) return known;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(readFileSync(resolve(io.cwd, named)));
  } catch (cause) {
    throw new Error(
      `${named || 'nothing'} is no version in the cloud, and no file: name one with --release`,
      {
        cause,
      },
    );
  }
  return session.ask('createRelease', { body: new Blob([bytes], { type: 'application/octet-stream' }) });
}

const open = new Set(['waiting', 'sent', 'stopping', 'applied']);

async function ended(session: Session, { id, gateways }: Rollout): Promise<readonly GatewayUpdate[]> {
  const giveUpAt = performance.now() + WAIT_MS;
  let told = gateways;
  while (told.some(({ state }) => open.has(state)) && performance.now() < giveUpAt) {
    await sleep(LOOK_MS);
    const rollouts = await session.all('listRollouts');
    told = rollouts.find((one) => one.id === id)?.gateways ?? told;
  }
  return told;
}

async function stop(io: Io, session: Session, gatewayId: string, options: Options): Promise<void> {
  const { update } = await session.ask('getGatewayUpdate', { path: { id: gatewayId } });
  if (!update) throw new Error('this gateway never had an update');
  const { gateways } = await session.ask('stopRollout', { path: { id: update.rolloutId } });
  print(io, options, gateways);
}

function print(io: Io, { json }: Options, updates: readonly GatewayUpdate[]): void {
  if (json) return io.out(`${JSON.stringify(updates)}\n`);
  if (updates.length === 0) return io.out('never updated\n');
  for (const { gatewayKey, version, state, sent, why } of updates) {
    const part = state === 'sent' ? ` ${Math.round(sent * 100)} %` : '';
    io.out(`${gatewayKey}  ${version}  ${state}${part}${why ? `  ${why}` : ''}\n`);
  }
}

const usage = (message: string): Error => Object.assign(new Error(message), { code: 'usage' });

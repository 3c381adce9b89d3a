import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type GatewayIdentityView, type ImportResult, readClaimCode } from '@parkline/contract';
import type { Command } from 'commander';
import { ApiRefusal } from './api-call.ts';
import type { WhoFlags } from './api-key.ts';
import { hours } from './arguments.ts';
import { type Io, readBytes } from './io.ts';
import { report } from './places.ts';
import { type Session, whoOptions, withSession } from './session.ts';

interface Options extends WhoFlags {
  readonly name?: string;
  readonly nameZh?: string;
  readonly building?: string;
  readonly claimCode?: string;
  readonly hours: number;
  readonly table?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `parkline gateway add`: a gateway before it exists, with the code by which it joins; or many, from a table. */
export function registerAdd(gateway: Command, io: Io): void {
  whoOptions(
    gateway
      .command('add')
      .description(
        'add a gateway, and make the code by which it joins; or add many from a table; safe to repeat',
      )
      .argument('[gateway]', 'its key in the park: small letters, digits and hyphens, "gw-a"')
      .option('--name <name>', 'its name')
      .option('--name-zh <name>', 'its Chinese name, where that is another')
      .option('--building <building>', 'key or id of the building it hangs in')
      .option(
        '--claim-code <file>',
        'write a one-time code into this file, which only you can read; - prints it',
      )
      .option('--hours <n>', 'how long the code holds, 168 at most', hours, 24)
      .option('--table <file>', 'csv or xlsx with the columns key, building, name_en, name_zh')
      .option('--dry-run', 'with --table: check everything and store nothing')
      .option('--json', 'print one JSON document'),
  )
    .addHelpText(
      'after',
      `
Examples:
  parkline gateway add gw-a --name "Plant room A" --building a --claim-code code.txt
  parkline gateway add --table gateways.csv --dry-run`,
    )
    .action((key: string | undefined, options: Options) => {
      assertFits(key, options);
      const rows = options.table === undefined ? undefined : readBytes(io, options.table);
      return withSession(io, { ...options, role: 'account_admin' }, (session) =>
        rows ? addTable(io, session, rows, options) : addOne(io, session, key ?? '', options),
      );
    });
}

/** @throws Error, of wrong use. */
function assertFits(key: string | undefined, options: Options): void {
  const { name, nameZh, building, claimCode, table, dryRun } = options;
  if (table === undefined) {
    if (key === undefined) throw usage('name a gateway, or --table FILE');
    if (building === undefined || (name ?? nameZh) === undefined)
      throw usage(`${key} needs --name and --building`);
    if (dryRun) throw usage('--dry-run goes with --table');
  } else if ([key, name, nameZh, building, claimCode].some((one) => one !== undefined))
    throw usage('--table brings keys, names and buildings along; codes are made afterwards, one for each');
}

async function addOne(io: Io, session: Session, key: string, options: Options): Promise<void> {
  const building = await buildingOf(session, options.building ?? '');
  const known = (await session.all('listGateways')).find((one) => one.key === key);
  const gateway = known
    ? await session.ask('getGateway', { path: { id: known.id } })
    : await session.ask('createGateway', {
        body: { key, name: namesOf(options), buildingId: building.id },
      });
  if (known) assertSame(gateway, building, options);
  if (!options.json) io.err(`${key} ${known ? 'was there already' : `added in ${building.key}`}\n`);
  const code = options.claimCode === undefined ? null : await giveCode(io, session, gateway, options);
  if (options.json) io.out(`${JSON.stringify({ ...gateway, added: !known, claimCode: code })}\n`);
}

const namesOf = ({ name, nameZh }: Options) => ({ en: (name ?? nameZh)!, zh: (nameZh ?? name)! });

interface Building {
  readonly id: string;
  readonly key: string;
}

/** @throws Error naming those that there are. */
async function buildingOf(session: Session, named: string): Promise<Building> {
  const all = await session.all('listBuildings');
  const found = all.find(({ id, key }) => id === named || key === named);
  if (found) return found;
  const keys = all.map(({ key }) => key).join(', ');
  throw new Error(`there is no building ${named}; there are: ${keys || 'none'}`);
}

/** @throws Error naming what is otherwise: what is there is not changed by adding it. */
function assertSame(gateway: GatewayIdentityView, building: Building, { name, nameZh }: Options): void {
  const { en, zh } = gateway.name;
  const others = [
    ...(gateway.buildingId === building.id ? [] : ['it hangs in another building']),
    ...(name === undefined || name === en ? [] : [`its name is "${en}"`]),
    ...(nameZh === undefined || nameZh === zh ? [] : [`its Chinese name is "${zh}"`]),
  ];
  if (others.length > 0)
    throw new Error(
      `there is a gateway ${gateway.key}, and ${others.join(' and ')}; nothing was changed: the portal does (Administration, Gateways)`,
    );
}

interface GivenCode {
  readonly expiresAt: string;
  /** Where it lies; null: it is in `code`. */
  readonly file: string | null;
  readonly code?: string;
}

/** One code for a gateway that is to join. One that has joined, or whose code lies in the file, gets no other. */
async function giveCode(
  io: Io,
  session: Session,
  { id, key, steps, revokedAt }: GatewayIdentityView,
  { claimCode: file = '-', hours: holds, json }: Options,
): Promise<GivenCode | null> {
  const say = (text: string): void => (json ? undefined : io.err(`${text}\n`));
  if (steps.claimedAt !== null && revokedAt === null) {
    say(`it has joined: no code was made; parkline gateway claim-code ${key} makes one for another device`);
    return null;
  }
  const make = () => session.ask('createGatewayClaimCode', { path: { id }, body: { hours: holds } });
  if (file === '-') {
    const { code, expiresAt } = await make();
    if (!json) io.out(`${code}\n`);
    say(`holds until ${expiresAt}; it is not shown again`);
    return { expiresAt, file: null, code };
  }
  const path = resolve(io.cwd, file);
  const codes = holdsCode(path) ? await session.all('listGatewayClaimCodes', { path: { id } }) : [];
  const open = codes.find(({ state }) => state === 'open');
  if (open) {
    say(
      `${file} holds a code already, and one holds until ${open.expiresAt}; without the file another is made`,
    );
    return { expiresAt: open.expiresAt, file: path };
  }
  const { expiresAt } = await writtenTo(path, make);
  say(`${file} holds its code until ${expiresAt}`);
  return { expiresAt, file: path };
}

/** Whether there is a file with a claim code. @throws Error when there is another file, which is not written over. */
function holdsCode(path: string): boolean {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  if (readClaimCode(text.trim()) !== undefined) return true;
  throw new Error(`${path} is there and holds no claim code: it is not written over`);
}

/** The code is asked for when there is a place for it, and lies in the file as a whole or not at all. */
async function writtenTo<T extends { readonly code: string }>(
  path: string,
  make: () => Promise<T>,
): Promise<T> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const fd = openSync(draft, 'wx', 0o600);
  try {
    const made = await make();
    writeSync(fd, `${made.code}\n`);
    fsyncSync(fd);
    renameSync(draft, path);
    return made;
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

async function addTable(
  io: Io,
  session: Session,
  rows: Buffer<ArrayBuffer>,
  options: Options,
): Promise<void> {
  const { table = '', dryRun = false } = options;
  const body = new Blob([rows], { type: 'text/csv' }); // What it is shows in its bytes.
  const query = { kind: 'gateways', dryRun, file: basename(table) };
  const result = await session.ask('createImport', { query, body }).catch(faultsOf);
  report(io, table, options, result);
  if (result.errorCount > 0) process.exitCode = 1;
}

/** What is wrong with the rows. @throws the refusal, where it is of something else. */
function faultsOf(error: unknown): ImportResult {
  if (error instanceof ApiRefusal && 'errorCount' in error.details) return error.details as ImportResult;
  throw error;
}

const usage = (message: string): Error => Object.assign(new Error(message), { code: 'usage' });

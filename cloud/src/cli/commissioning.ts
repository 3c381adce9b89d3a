import { writeFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { Commissioning, CommissioningBody, CommissioningReport, SignAs } from '@parkline/contract';
import type { Command } from 'commander';
import { ApiRefusal } from './api-call.ts';
import type { WhoFlags } from './api-key.ts';
import { registerVerify } from './commissioning-verify.ts';
import { type Io, readBytes } from './io.ts';
import { type Session, whoOptions, withSession } from './session.ts';

interface Common extends WhoFlags {
  readonly json?: true;
}

/** `parkline commissioning`: proof of meters, through the API and so with the rights of a person. */
export function register(program: Command, io: Io): void {
  const commissioning = program.command('commissioning').description('prove meters, and report on them');
  const add = (name: string, description: string): Command =>
    whoOptions(commissioning.command(name).description(description)).option('--json', 'print JSON');
  add('list', 'list the meters and what is proven of them')
    .option('--gateway <key>', 'only those of this gateway')
    .option('--state <state>', 'open, passed, failed or waived')
    .action((options: Common & { gateway?: string; state?: string }) =>
      withSession(io, { ...options, role: 'installer' }, async (session) => {
        const all = await list(session, options.gateway);
        print(
          io,
          options,
          all.filter(({ state }) => options.state === undefined || state === options.state),
        );
      }),
    );
  registerRecord(add, io);
  add('check', 'judge a meter again')
    .argument('<meter>', 'key or id')
    .action((named: string, options: Common) =>
      withSession(io, { ...options, role: 'installer' }, async (session) => {
        const { equipmentId } = await find(session, named);
        tell(io, options, await session.ask('checkCommissioning', { path: { id: equipmentId } }));
      }),
    );
  add('waive', 'let a meter pass without proof; an engineer does, and says why')
    .argument('<meter>', 'key or id')
    .requiredOption('--reason <text>', 'why, at least ten characters')
    .action((named: string, options: Common & { reason: string }) =>
      withSession(io, { ...options, role: 'facility_engineer' }, async (session) => {
        const { equipmentId } = await find(session, named);
        const input = { path: { id: equipmentId }, body: { reason: options.reason } };
        tell(io, options, await session.ask('waiveCommissioning', input));
      }),
    );
  registerReports(add, io);
  registerVerify(commissioning, io);
}

interface RecordOptions extends Common {
  readonly serial: string;
  readonly display: string;
  readonly at: string;
  readonly ct: string;
  readonly pt: string;
  readonly ratioIn: NonNullable<CommissioningBody['ratioApplied']>;
  readonly photo?: string;
  readonly laterDisplay?: string;
  readonly laterAt?: string;
}

function registerRecord(add: (name: string, description: string) => Command, io: Io): void {
  add('record', 'write down what was read from a meter')
    .argument('<meter>', 'key or id')
    .requiredOption('--serial <number>', 'serial number')
    .requiredOption('--display <value>', 'what the display showed, with all its digits')
    .requiredOption('--at <time>', 'when, by the clock of the site: 2026-11-22T17:30')
    .option('--ct <ratio>', 'ratio of the current transformers: 200/5 or 40', '1')
    .option('--pt <ratio>', 'ratio of the voltage transformers', '1')
    .option('--ratio-in <place>', 'where the ratio is in: telemetry, display or billing', 'telemetry')
    .option('--later-display <value>', 'a second reading')
    .option('--later-at <time>', 'when that was')
    .option('--photo <file>', 'photo of the nameplate: PNG, JPEG or WebP')
    .action((named: string, options: RecordOptions) => {
      const body = bodyOf(options);
      const photo = options.photo === undefined ? undefined : picture(io, options.photo);
      return withSession(io, { ...options, role: 'installer' }, async (session) => {
        const path = { id: (await find(session, named)).equipmentId };
        if (photo) await session.ask('setCommissioningPhoto', { path, body: photo });
        const { version } = await session.ask('getCommissioning', { path });
        tell(io, options, await session.ask('replaceCommissioning', { path, body }, { version }));
      });
    });
}

function bodyOf({
  serial,
  display,
  at,
  ct,
  pt,
  ratioIn,
  laterDisplay,
  laterAt,
}: RecordOptions): CommissioningBody {
  if ((laterDisplay === undefined) !== (laterAt === undefined))
    throw usage('--later-display and --later-at go together');
  return {
    ...{ serial, display, readAt: at, ctRatio: ratio(ct), ptRatio: ratio(pt), ratioApplied: ratioIn },
    ...(laterDisplay !== undefined &&
      laterAt !== undefined && { later: { display: laterDisplay, readAt: laterAt } }),
  };
}

/** '200/5' is how it is written on the nameplate. @throws Error for what is no ratio. */
function ratio(text: string): string {
  const [, primary = '', secondary = '1'] = /^(\d+(?:\.\d+)?)(?:[/:](\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  const value = Number(primary) / Number(secondary);
  if (!Number.isFinite(value) || value <= 0) throw usage(`${text} is no ratio: write 200/5 or 40`);
  return String(Number(value.toFixed(6)));
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};

function picture(io: Io, path: string) {
  const type = mediaTypes[extname(path).toLowerCase()];
  if (!type) throw usage(`${path}: a photo is a .png, .jpg or .webp`);
  return new Blob([readBytes(io, path)], { type });
}

interface ReportOptions extends Common {
  readonly gateway?: string;
  readonly sign?: string;
  readonly as?: SignAs;
  readonly id?: string;
  readonly out?: string;
  readonly file?: string;
}

function registerReports(add: (name: string, description: string) => Command, io: Io): void {
  add('report', 'list reports; make, sign or fetch one')
    .option('--gateway <key>', 'make one on the meters of this gateway')
    .option('--sign <number|id>', 'sign one')
    .option('--as <role>', 'installer or engineer, with --sign')
    .option('--id <number|id>', 'fetch one, with --out or --file')
    .option('--out <pdf>', 'write the paper here')
    .option('--file <json>', 'write paper and seal here: what verify reads')
    .action((options: ReportOptions) =>
      withSession(
        io,
        { ...options, role: options.as === 'engineer' ? 'facility_engineer' : 'installer' },
        (session) => report(io, session, options),
      ),
    );
}

async function report(io: Io, session: Session, options: ReportOptions): Promise<void> {
  const named = async (text: string) => {
    const reports = await session.all('listCommissioningReports');
    const one = reports.find(({ id, number }) => id === text || number === text);
    if (!one) throw new Error(`there is no report ${text}`);
    return { id: one.id };
  };
  if (options.gateway !== undefined) {
    const gatewayId = await gatewayOf(session, options.gateway);
    const made = await session
      .ask('createCommissioningReport', { body: { gatewayId } })
      .catch(unreportable(options.gateway));
    return tellReports(io, options, [made]);
  }
  if (options.sign !== undefined) {
    if (options.as === undefined) throw usage('--sign needs --as installer or --as engineer');
    const input = { path: await named(options.sign), body: { as: options.as } };
    return tellReports(io, options, [await session.ask('signCommissioningReport', input)]);
  }
  if (options.id !== undefined) {
    const path = await named(options.id);
    const { out, file } = options;
    if (out === undefined && file === undefined) throw usage('--id needs --out or --file');
    const write = (to: string, what: string | Buffer): void => {
      writeFileSync(resolve(io.cwd, to), what);
      io.err(`${to} written\n`);
    };
    if (out !== undefined) {
      const paper = await session.ask('getCommissioningReportPdf', { path }).catch(unsealed);
      write(out, Buffer.from(await paper.arrayBuffer()));
    }
    if (file !== undefined)
      write(file, JSON.stringify(await session.ask('getCommissioningReportFile', { path }).catch(unsealed)));
    return;
  }
  const all = await session.all('listCommissioningReports');
  tellReports(io, options, all);
  if (all.length === 0 && !options.json)
    io.err(
      'no report yet: parkline commissioning report --gateway KEY makes one, when every meter of the gateway has passed or is waived\n',
    );
}

/** What to do before a report can be made, by why it is refused. */
const todos: Readonly<Record<string, string>> = {
  not_proven:
    'not proven yet; parkline commissioning record writes down what was read, check judges it again, and an engineer may waive it',
  no_photo: 'passed without a photo of the nameplate; parkline commissioning record takes one with --photo',
};

/** Names the meters that stand in the way. @throws Error, always. */
const unreportable =
  (gateway: string) =>
  (cause: unknown): never => {
    if (!(cause instanceof ApiRefusal)) throw cause;
    const { why = '', meters = [] } = cause.details as { why?: string; meters?: readonly string[] };
    if (why === 'no_meters') throw new Error(`no report on ${gateway}: it has no meters to prove`, { cause });
    const todo = todos[why];
    if (todo === undefined) throw cause;
    throw new Error(`no report on ${gateway}: ${meters.join(', ')}: ${todo}`, { cause });
  };

const unsealed = (cause: Error): never => {
  if (!cause.message.endsWith('not_sealed')) throw cause;
  throw new Error('it is not sealed yet: an installer and an engineer sign it first, with --sign', { cause });
};

async function gatewayOf(session: Session, named: string): Promise<string> {
  const gateways = await session.all('listGateways');
  const one = gateways.find(({ id, key }) => id === named || key === named);
  if (!one) throw new Error(`there is no gateway ${named}`);
  return one.id;
}

async function list(session: Session, gateway?: string): Promise<readonly Commissioning[]> {
  const query = gateway === undefined ? {} : { gateway: await gatewayOf(session, gateway) };
  return session.all('listCommissioning', { query });
}

async function find(session: Session, named: string): Promise<Commissioning> {
  const all = await list(session);
  const one = all.find(({ equipmentId, equipmentKey }) => equipmentId === named || equipmentKey === named);
  if (!one) throw new Error(`there is no meter ${named}`);
  return one;
}

const print = (io: Io, { json }: Common, all: readonly Commissioning[]): void =>
  io.out(json ? `${JSON.stringify(all)}\n` : all.map((one) => `${lineOf(one)}\n`).join(''));

/** One meter; exit code 1 when it failed. */
function tell(io: Io, { json }: Common, one: Commissioning): void {
  io.out(json ? `${JSON.stringify(one)}\n` : `${lineOf(one)}\n`);
  if (one.state === 'failed') process.exitCode = 1;
}

function lineOf({ equipmentKey, state, serial, photo, readings, unit, ratioFault }: Commissioning): string {
  const read = readings.map(({ display, expected, telemetry, result, reason }) =>
    telemetry === null
      ? `${display}: ${reason ?? result}`
      : `${display} = ${expected ?? '?'} ${unit}, telemetry ${telemetry}: ${result}`,
  );
  const facts = [
    serial ?? 'no serial',
    photo ? 'photo' : 'no photo',
    ...read,
    ...(ratioFault ? [ratioFault] : []),
  ];
  return `${equipmentKey}  ${state}  ${facts.join('; ')}`;
}

const tellReports = (io: Io, { json }: Common, all: readonly CommissioningReport[]): void =>
  io.out(
    json
      ? `${JSON.stringify(all)}\n`
      : all
          .map(
            ({ number, gatewayName, meters, passed, waived, signatures, pdfSha256 }) =>
              `${number}  ${gatewayName}  ${passed}+${waived}/${meters}  ${signatures.map(({ as }) => as).join('+') || 'unsigned'}  ${pdfSha256 ?? 'not sealed'}\n`,
          )
          .join(''),
  );

const usage = (message: string): Error => Object.assign(new Error(message), { code: 'usage' });

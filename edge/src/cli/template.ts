import { setTimeout as sleep } from 'node:timers/promises';
import { findTemplate, loadTemplates, type Template, type TemplatePoint } from '@parkline/templates';
import { type Command, InvalidArgumentError } from 'commander';
import { addLinkOptions, type LinkOptions } from '../bench/link-options.ts';
import type { Bench } from '../bench/open.ts';
import { type Reading, readingOf, valueWords } from '../bench/reading.ts';
import { asJson, withBench } from '../bench/run.ts';
import { exit, type Io, table } from './io.ts';

interface ListOptions {
  readonly kind?: string;
  readonly protocol?: string;
  readonly json?: true;
}

interface TryOptions extends LinkOptions {
  readonly dry?: true;
  readonly rounds: number;
  readonly every: number;
  readonly json?: true;
}

/** `parkline template`: what devices are described, and whether a description fits a device. */
export function register(program: Command, io: Io): void {
  const template = program.command('template').description('descriptions of device models');
  template
    .command('list')
    .description('list the templates that come along')
    .option('--kind <kind>', 'only this kind: three-phase-meter')
    .option('--protocol <name>', 'only this protocol: modbus')
    .option('--json', 'print one JSON array')
    .action((options: ListOptions) => list(io, options));
  template
    .command('show')
    .description('show a template: its points, what may be written, where the addresses come from')
    .argument('<template>', 'id, or a YAML file')
    .option('--json', 'print the template as one JSON document')
    .action((name: string, options: { readonly json?: true }) => show(io, name, options.json === true));
  addTry(template, io);
}

function addTry(template: Command, io: Io): void {
  addLinkOptions(
    template
      .command('try')
      .description('read every point of a template from a device, before it is used')
      .argument('<template>', 'id, or a YAML file'),
  )
    .option('--dry', 'check the template alone, without a device')
    .option('--rounds <n>', 'read this often; a point must be good each time', wholeNumber(1, 1_000), 1)
    .option('--every <ms>', 'pause between rounds', wholeNumber(0, 3_600_000), 1_000)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  parkline template try my-meter.yaml --dry
  parkline template try three-phase-meter/generic-dlt645 --serial /dev/ttyUSB0 --meter 000012345678
  parkline template try my-meter.yaml --connection '{"transport":"tcp","host":"192.168.1.20"}' --device '{"unit":3}'

Needs no gateway and no cloud. Exit code 0: every point good; 3: some are not; 1: none, or no such template.`,
    )
    .action((name: string, options: TryOptions) => run(io, name, options));
}

function list(io: Io, { kind, protocol, json }: ListOptions): void {
  const found = [...loadTemplates().values()].filter(
    (template) =>
      (kind ?? template.kind) === template.kind && (protocol ?? template.protocol) === template.protocol,
  );
  const rows = found.map(({ id, kind, protocol, name, points }) => ({
    ...{ id, kind, protocol, name, points: points.length },
    writable: points.filter(({ write }) => write).length,
  }));
  if (json) return io.out(asJson(rows));
  const lines = rows.map(({ id, protocol, name, points, writable }) => [
    ...[id, protocol, String(points), String(writable), name.en],
  ]);
  io.out(table(['TEMPLATE', 'PROTOCOL', 'POINTS', 'WRITABLE', 'NAME'], lines));
}

function show(io: Io, name: string, isJson: boolean): void {
  const template = findTemplate(name, io.cwd);
  io.out(isJson ? asJson(template) : described(template));
}

function described({ id, name, protocol, params, source, points }: Template): string {
  const head = [
    `${id}  ${name.en}  ${name.zh}`,
    `${protocol} ${JSON.stringify(params)}`,
    `${source.trim()}\n`,
  ].join('\n');
  const rows = points.map(({ key, name, unit, kind, address, write }) => [
    ...[key, name.en, unit === '1' ? '' : unit, kind, address, write ? limitWords(write) : ''],
  ]);
  return `${head}\n${table(['POINT', 'NAME', 'UNIT', 'KIND', 'ADDRESS', 'MAY BE WRITTEN'], rows)}`;
}

const limitWords = ({ min, max, safety }: NonNullable<TemplatePoint['write']>): string =>
  `${min} to ${max}${safety ? ', by two people' : ''}`;

async function run(io: Io, name: string, options: TryOptions): Promise<void> {
  if (options.dry) return dry(io, name, options.json === true);
  const template = findTemplate(name, io.cwd);
  // The bench reads the same template, so the device is asked for exactly its points.
  await withBench(io, template.protocol, { ...options, template: name }, async (bench, signal) => {
    const tried = await tryPoints(bench, template, options, signal);
    io.out(
      options.json ? asJson({ template: template.id, rounds: options.rounds, points: tried }) : rowsOf(tried),
    );
    const good = tried.filter(({ goodRounds }) => goodRounds === options.rounds).length;
    if (!options.json)
      io.err(`${good} of ${tried.length} points good${options.rounds > 1 ? ' in every round' : ''}\n`);
    if (good < tried.length) process.exitCode = good === 0 ? exit.failed : exit.partial;
  });
}

/** @throws Error with the faults; in JSON they are data, and the exit code says that there are some. */
function dry(io: Io, name: string, isJson: boolean): void {
  try {
    const { id, points } = findTemplate(name, io.cwd);
    io.out(
      isJson
        ? asJson({ template: id, points: points.length, faults: [] })
        : `${id}: sound, ${points.length} points\n`,
    );
  } catch (error) {
    if (!isJson || !(error instanceof Error)) throw error;
    io.out(asJson({ template: name, points: 0, faults: error.message.split('; ') }));
    process.exitCode = exit.failed;
  }
}

/** A point of the template with what the device showed last. */
interface Tried extends Reading {
  readonly key: string;
  /** What the value of a state means. */
  readonly state?: string;
  readonly goodRounds: number;
}

async function tryPoints(
  bench: Bench,
  { points }: Template,
  { rounds, every }: TryOptions,
  signal: AbortSignal,
): Promise<Tried[]> {
  const device = bench.device();
  const goodRounds = points.map(() => 0);
  let readings: Reading[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0) await sleep(every, undefined, { signal });
    const samples = await device.read(
      bench.points.map(({ ref }) => ref),
      signal,
    );
    readings = bench.points.map((point, n) => readingOf(point, samples[n]!));
    readings.forEach(({ quality }, n) => {
      if (quality === 'good') goodRounds[n]! += 1;
    });
  }
  await device.close();
  return points.map(({ key, name, states }, n) => {
    const reading = { ...readings[n]!, key, name: name.en, goodRounds: goodRounds[n]! };
    const state = states?.[String(reading.value)]?.en;
    return state === undefined ? reading : { ...reading, state };
  });
}

const rowsOf = (tried: readonly Tried[]): string =>
  table(
    ['POINT', 'NAME', 'VALUE', 'QUALITY', 'ADDRESS'],
    tried.map(({ state, ...point }) => [
      ...[point.key, point.name, `${valueWords(point)}${state === undefined ? '' : ` (${state})`}`],
      ...[[point.quality, point.why].filter(Boolean).join(': '), point.address],
    ]),
  );

/** A parser for commander. @throws InvalidArgumentError outside least..most. */
const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };

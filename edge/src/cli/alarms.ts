import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { asJson } from '../bench/run.ts';
import { loadHome } from '../config/load.ts';
import { pointsOf } from '../config/schema.ts';
import { peekRaised } from '../rules/store.ts';
import { gatewayHome, type Io, table } from './io.ts';

interface Options {
  readonly home?: string;
  readonly json?: true;
}

/** `parkline alarms`: what the gateway itself has raised, with or without its cloud. */
export function register(program: Command, io: Io): void {
  program
    .command('alarms')
    .description('list the local alarms of a gateway that stand')
    .option('--home <dir>', "the gateway's home; also PARKLINE_GATEWAY_HOME")
    .option('--json', 'print one JSON array')
    .action((options: Options) => {
      run(io, options);
    });
}

function run(io: Io, { home: named, json }: Options): void {
  const { config, rulesPath } = loadHome(gatewayHome(io, named), io.env);
  const points = new Map(pointsOf(config).map((point) => [point.id, point]));
  const raised = existsSync(rulesPath) ? peekRaised(rulesPath) : [];
  const rows = raised.map(({ key, pointId, raisedAt, value, text }) => ({
    ...{ key, text, value, unit: points.get(pointId)?.unit ?? '' },
    point: points.get(pointId)?.key ?? points.get(pointId)?.address ?? pointId,
    since: new Date(raisedAt).toISOString(),
  }));
  if (json) io.out(asJson(rows));
  else if (rows.length === 0) io.out('no alarm stands\n');
  else
    io.out(
      table(
        ['SINCE', 'ALARM', 'POINT', 'VALUE', 'TEXT'],
        rows.map(({ since, key, point, value, unit, text }) => [
          ...[since, key, point, value === null ? '—' : `${value} ${unit}`.trim(), text],
        ]),
      ),
    );
}

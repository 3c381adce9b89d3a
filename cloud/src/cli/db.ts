import type { Command } from 'commander';
import { enableTimescale, migrate } from '../platform/migrate.ts';
import { databaseUrl, type Io } from './io.ts';

/** `parkline db`: the schema. */
export function register(program: Command, io: Io): void {
  const db = program.command('db').description('the database of the cloud');
  db.command('migrate')
    .description('bring the database forward to this code; safe to repeat')
    .option('--json', 'print what was done as JSON')
    .action(async ({ json }: { json?: true }) => {
      const url = databaseUrl(io);
      const timescale = await enableTimescale(url);
      const ran = await migrate(url);
      const storage = timescale ? 'TimescaleDB' : 'native partitions';
      if (json) io.out(`${JSON.stringify({ storage: timescale ? 'timescale' : 'plain', ran })}\n`);
      else
        io.out(
          `${ran.map((name) => `${name}\n`).join('')}${ran.length} migrations run, readings in ${storage}\n`,
        );
    });
}

import type { Command } from 'commander';
import { sql } from 'kysely';
import { parseParkFile, type ParkFile, type SeededGateway, seedFleet } from '../fleet/index.ts';
import { seedUsagePoints } from '../metering/index.ts';
import { seedPlaces, type SeededPlaces } from '../places/index.ts';
import { systemNow } from '../platform/clock.ts';
import { createDb, type Db, withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { askToFollow, followLeases, seedTenancy } from '../tenancy/index.ts';
import { commandPool } from './command-pool.ts';
import { type Io, readArgument } from './io.ts';
import { parsePeople, seedPeople } from './park-people.ts';

/** `parkline park`: a whole park from one file. */
export function register(program: Command, io: Io): void {
  const park = program.command('park').description('places, tenants, gateways, devices and people of a park');
  park
    .command('seed')
    .description('create what the file holds and the database lacks; safe to repeat')
    .argument('<file>', 'park file (YAML)')
    .option(
      '--people <file>',
      'JSON list of {role, login, name, password, tenant?, skills?, areas?}; who exists is left alone',
    )
    .option('--json', 'print the account, the gateways, who can log in and what was left out as JSON')
    .action(async (file: string, options: { people?: string; json?: true }) => {
      const plan = parseParkFile(readArgument(io, file));
      const persons = options.people ? parsePeople(readArgument(io, options.people)) : [];
      const db = createDb(commandPool(io, 'park'));
      try {
        const account = await accountFor(db, plan);
        const { places, gateways } = await seedPark(db, account, plan);
        const notes: string[] = [];
        const note = (line: string) => void notes.push(line);
        const logins = await seedPeople(db, { accountId: account, places, note }, persons);
        const { key } = plan;
        for (const line of notes) io.err(`${line}\n`);
        if (options.json) io.out(`${JSON.stringify({ account, key, gateways, people: logins, notes })}\n`);
        else io.out(gateways.map(({ key, id, name }) => `${key}  ${id}  ${name}\n`).join(''));
      } finally {
        await db.destroy();
      }
    });
}

/** The park's key names its account. Looked up by a function, because nobody sees an account before being in it. */
async function accountFor(db: Db, { key, site }: ParkFile): Promise<string> {
  const id = newId();
  await withAccount(db, id, (trx) =>
    // A savepoint of its own is not needed: where the key exists nothing is inserted.
    sql`insert into account (id, key, name) select ${id}, ${key}, ${JSON.stringify(site.name)}::jsonb
        where account_of_key(${key}) is null`.execute(trx),
  );
  const { rows } = await sql<{ id: string }>`select account_of_key(${key}) as id`.execute(db);
  if (!rows[0]) throw new Error(`account ${key} was not created`);
  return rows[0].id;
}

const seedPark = (
  db: Db,
  accountId: string,
  park: ParkFile,
): Promise<{ places: SeededPlaces; gateways: SeededGateway[] }> =>
  withAccount(db, accountId, async (trx) => {
    const places = await seedPlaces(trx, accountId, park, newId);
    await seedTenancy(trx, accountId, park, places.spaces, newId);
    const at = systemNow();
    await followLeases(trx, { accountId, at, newId });
    await askToFollow(trx, { accountId, at, newId });
    const gateways = await seedFleet(trx, accountId, { park, ...places }, newId);
    await seedUsagePoints(trx, accountId, park, newId);
    return { places, gateways };
  });

import type { Command } from 'commander';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { sql } from 'kysely';
import { Role, schemaErrors } from '@parkline/contract';
import { parseParkFile, type ParkFile, type SeededGateway, seedFleet } from '../fleet/index.ts';
import { createPasswords, people } from '../identity/index.ts';
import { seedPlaces } from '../places/index.ts';
import { createDb, createPool, type Db, withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { databaseUrl, type Io, readArgument } from './io.ts';

const People = Type.Array(
  Type.Object({
    role: Role,
    login: Type.String({ minLength: 1, maxLength: 200 }),
    name: Type.String({ minLength: 1, maxLength: 200 }),
    password: Type.String({ minLength: 12, maxLength: 1_000 }),
  }),
);
type People = Static<typeof People>;

/** `parkline park`: a whole park from one file. */
export function register(program: Command, io: Io): void {
  const park = program.command('park').description('places, gateways, meters and people of a park');
  park
    .command('seed')
    .description('create what the file holds and the database lacks; safe to repeat')
    .argument('<file>', 'park file (YAML)')
    .option('--people <file>', 'JSON list of {role, login, name, password}; who exists is left alone')
    .option('--json', 'print the account and the gateways as JSON')
    .action(async (file: string, options: { people?: string; json?: true }) => {
      const plan = parseParkFile(readArgument(io, file));
      const persons = options.people ? parsePeople(readArgument(io, options.people)) : [];
      const db = createDb(createPool({ url: databaseUrl(io), max: 2, name: 'parkline park' }));
      try {
        const account = await accountFor(db, plan);
        const gateways = await seedPark(db, account, plan);
        await seedPeople(db, account, persons);
        if (options.json) io.out(`${JSON.stringify({ account, gateways })}\n`);
        else io.out(gateways.map(({ key, id, name }) => `${key}  ${id}  ${name}\n`).join(''));
      } finally {
        await db.destroy();
      }
    });
}

/** @throws Error naming the entry and field. */
function parsePeople(text: string): People {
  const value: unknown = JSON.parse(text);
  if (Value.Check(People, value)) return value;
  const faults = schemaErrors(People, value).map(
    ({ instancePath, message }) => `${instancePath || '/'} ${message}`,
  );
  throw new Error(`people: ${faults.join('; ')}`);
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

const seedPark = (db: Db, accountId: string, park: ParkFile): Promise<SeededGateway[]> =>
  withAccount(db, accountId, async (trx) => {
    const places = await seedPlaces(trx, accountId, park, newId);
    return seedFleet(trx, accountId, { park, ...places }, newId);
  });

/** Passwords are hashed only for those who are new: a second start stays quick and keeps what people changed. */
async function seedPeople(db: Db, accountId: string, persons: People): Promise<void> {
  const passwords = createPasswords();
  for (const { role, login, name, password } of persons) {
    await withAccount(db, accountId, async (trx) => {
      if (await people.hasLogin(trx, accountId, login)) return;
      const passwordHash = await passwords.hash(password);
      const added = await people.add(trx, {
        id: newId(),
        accountId,
        login,
        name,
        passwordHash,
        roles: [role],
      });
      if (!added) throw new Error(`login ${login} is taken`);
    });
  }
}

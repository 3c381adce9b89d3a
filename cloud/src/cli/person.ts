import type { Command } from 'commander';
import { sql } from 'kysely';
import { erasePerson, exportPerson, mayBeErased } from '../identity/index.ts';
import { createDb, type Db, withAccount } from '../platform/db.ts';
import { commandPool } from './command-pool.ts';
import type { Io } from './io.ts';

interface Named {
  readonly login: string;
}

/** `parkline person`: what is kept about one person, handed out or erased. */
export function register(program: Command, io: Io): void {
  const person = program.command('person').description('personal data of one person');
  person
    .command('export')
    .description('print everything that is kept about a person, as JSON')
    .requiredOption('--login <login>', 'login of the person')
    .action(({ login }: Named) =>
      withPerson(io, login, async (trx, { accountId, id }) => {
        const found = await exportPerson(trx, accountId, id, new Date());
        return () => io.out(`${JSON.stringify(found, null, 2)}\n`);
      }),
    );
  person
    .command('erase')
    .description('erase everything personal of a person for good; the deeds stay, without a name')
    .requiredOption('--login <login>', 'login of the person')
    .requiredOption('--name <name>', 'name of the person, so that nobody is erased by a slip of the hand')
    .action(({ login, name }: Named & { name: string }) =>
      withPerson(io, login, async (trx, found) => {
        const { accountId, id } = found;
        if (found.name !== name) throw new Error(`the person of ${login} has another name`);
        if (!(await mayBeErased(trx, accountId, id)))
          throw new Error(`${login} is the last administrator of the account: appoint another one first`);
        await erasePerson(trx, { accountId, personId: id, at: new Date(), by: null });
        return () => io.err(`erased; the audit keeps the deeds of ${id} without a name\n`);
      }),
    );
}

interface Found {
  readonly accountId: string;
  readonly id: string;
  readonly name: string;
}

/** @param work does its part and gives what is told once that is stored. @throws Error when nobody has the login. */
async function withPerson(
  io: Io,
  login: string,
  work: (trx: Db, person: Found) => Promise<() => void>,
): Promise<void> {
  const db = createDb(commandPool(io, 'person'));
  try {
    const { rows } = await sql<{ id: string }>`select id from all_accounts()`.execute(db);
    for (const { id: accountId } of rows) {
      const tell = await withAccount(db, accountId, async (trx) => {
        const found = await trx
          .selectFrom('person')
          .select(['id', 'name'])
          .where('accountId', '=', accountId)
          .where(sql`lower(login)`, '=', login.toLowerCase())
          .executeTakeFirst();
        return found && work(trx, { accountId, ...found });
      });
      if (tell) return tell();
    }
    throw new Error(`nobody has the login ${login}`);
  } finally {
    await db.destroy();
  }
}

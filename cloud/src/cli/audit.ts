import type { Command } from 'commander';
import { sql } from 'kysely';
import { holdsHead, verifyAudit } from '../identity/index.ts';
import { createDb, withAccount } from '../platform/db.ts';
import { commandPool } from './command-pool.ts';
import type { Io } from './io.ts';

/** Exit code where a head can be neither confirmed nor refuted: a script must not take it for proven. */
const UNKNOWN = 3;

interface VerifyOptions {
  readonly account?: string;
  readonly head?: string;
  readonly json?: true;
}

/** `parkline audit`: whether what was written down about deeds is still what was written. */
export function register(program: Command, io: Io): void {
  program
    .command('audit')
    .description('the chain of what people and gateways did')
    .command('verify')
    .description(
      'compute the chain anew; exit 1 when an entry was changed or is missing, 3 when --head is no longer kept',
    )
    .option('--account <key>', 'park it belongs to; all of them when not named')
    .option(
      '--head <seq:hash>',
      'a head of the log of an earlier day, which must still be in it; with --account',
    )
    .option('--json', 'print JSON')
    .action((options: VerifyOptions) => verify(io, options));
}

async function verify(io: Io, { account, head, json }: VerifyOptions): Promise<void> {
  if (head !== undefined && account === undefined)
    throw new Error('--head is of one park: name it with --account');
  const db = createDb(commandPool(io, 'audit'));
  try {
    const { rows } = await sql<{ id: string; key: string }>`select id, key from all_accounts()`.execute(db);
    const wanted = rows.filter(({ key }) => account === undefined || key === account);
    if (account !== undefined && wanted.length === 0) throw new Error(`there is no account ${account}`);
    for (const { id, key } of wanted) {
      const [verdict, isKept] = await withAccount(db, id, async (trx) => [
        await verifyAudit(trx, id),
        head === undefined ? undefined : await holdsHead(trx, id, head),
      ]);
      const found = head === undefined ? {} : { headHolds: isKept ?? null };
      if (json) io.out(`${JSON.stringify({ account: key, ...verdict, ...found })}\n`);
      else io.out(`${key}: ${words(verdict)}\n${head === undefined ? '' : `${headWords(head, isKept)}\n`}`);
      if (verdict.brokenAt !== null || isKept === false) process.exitCode = 1;
      else if (head !== undefined && isKept === undefined) process.exitCode = UNKNOWN;
    }
  } finally {
    await db.destroy();
  }
}

function headWords(head: string, isKept: boolean | undefined): string {
  if (isKept === undefined)
    return `UNKNOWN: ${head} is no longer kept. Entries are dropped after their time, at the earliest after six months: if this head is younger, somebody cut off the beginning`;
  return isKept ? `${head}: still what it was` : `REWRITTEN: ${head} is no longer in the chain`;
}

function words({ entries, erased, brokenAt, head }: Awaited<ReturnType<typeof verifyAudit>>): string {
  if (brokenAt !== null) return `BROKEN at entry ${brokenAt}: it was changed, or one is missing`;
  return head === null
    ? 'nothing written yet'
    : `${entries} entries, whole${erased ? ` (${erased} with their personal content erased)` : ''}; head ${head}`;
}

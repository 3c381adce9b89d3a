import type { Command } from 'commander';
import { sql } from 'kysely';
import { verifyAudit } from '../identity/index.ts';
import { createDb, createPool, withAccount } from '../platform/db.ts';
import { databaseUrl, type Io } from './io.ts';

interface VerifyOptions {
  readonly account?: string;
  readonly json?: true;
}

/** `parkline audit`: whether what was written down about deeds is still what was written. */
export function register(program: Command, io: Io): void {
  program
    .command('audit')
    .description('the chain of what people and gateways did')
    .command('verify')
    .description('compute the chain anew; exit 1 when an entry was changed or is missing')
    .option('--account <key>', 'park it belongs to; all of them when not named')
    .option('--json', 'print JSON')
    .action((options: VerifyOptions) => verify(io, options));
}

async function verify(io: Io, { account, json }: VerifyOptions): Promise<void> {
  const db = createDb(createPool({ url: databaseUrl(io), max: 2, name: 'parkline audit' }));
  try {
    const { rows } = await sql<{ id: string; key: string }>`select id, key from all_accounts()`.execute(db);
    const wanted = rows.filter(({ key }) => account === undefined || key === account);
    if (account !== undefined && wanted.length === 0) throw new Error(`there is no account ${account}`);
    for (const { id, key } of wanted) {
      const verdict = await withAccount(db, id, (trx) => verifyAudit(trx, id));
      io.out(json ? `${JSON.stringify({ account: key, ...verdict })}\n` : `${key}: ${words(verdict)}\n`);
      if (verdict.brokenAt !== null) process.exitCode = 1;
    }
  } finally {
    await db.destroy();
  }
}

function words({ entries, erased, brokenAt, head }: Awaited<ReturnType<typeof verifyAudit>>): string {
  if (brokenAt !== null) return `BROKEN at entry ${brokenAt}: it was changed, or one is missing`;
  return head === null
    ? 'nothing written yet'
    : `${entries} entries, whole${erased ? ` (${erased} with their personal content erased)` : ''}; head ${head}`;
}

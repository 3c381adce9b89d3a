import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { createDb, type Db } from '../platform/db.ts';
import { countByKey, rotateSecrets } from '../platform/rotate-secrets.ts';
import { createSecrets, newKeyLine, parseKeys } from '../platform/secrets.ts';
import { commandPool } from './command-pool.ts';
import { type Io, readArgument, secretsKeyFile } from './io.ts';

/** `parkline secrets`: the keys that seal what is secret in the database. */
export function register(program: Command, io: Io): void {
  const secrets = program.command('secrets').description('keys that seal the secrets in the database');
  secrets
    .command('add-key')
    .description('put a new key before the others in the key file; secrets are sealed with it from now on')
    .argument('[id]', 'its name; the day, when not given')
    .action((id?: string) => {
      const file = secretsKeyFile(io);
      io.out(`${addKey(file, id ?? new Date().toISOString().slice(0, 10))}\n`);
      io.err(`next: restart the processes, then parkline secrets rotate\n`);
    });
  secrets
    .command('rotate')
    .description('seal everything anew that is sealed with an older key; safe to cut short and to repeat')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: true }) =>
      withDb(io, async (db) => {
        const rotated = await rotateSecrets(db, createSecrets(secretsKeyFile(io)));
        io.out(json ? `${JSON.stringify({ rotated })}\n` : `${rotated} sealed anew\n`);
      }),
    );
  secrets
    .command('keys')
    .description('which keys there are, and how many secrets each seals; one that seals none may be removed')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: true }) =>
      withDb(io, async (db) => {
        const file = secretsKeyFile(io);
        const inFile = parseKeys(readArgument(io, file), file).map(({ id }) => id);
        const counts = await countByKey(db);
        const keys = [...new Set([...inFile, ...counts.keys()])].map((id) => ({
          ...{ id, secrets: counts.get(id) ?? 0, current: id === inFile[0], missing: !inFile.includes(id) },
        }));
        io.out(json ? `${JSON.stringify(keys)}\n` : keys.map(words).join(''));
        if (keys.some(({ missing }) => missing)) process.exitCode = 1;
      }),
    );
}

interface KeyUse {
  readonly id: string;
  readonly secrets: number;
  readonly current: boolean;
  readonly missing: boolean;
}

const words = ({ id, secrets, current, missing }: KeyUse): string =>
  `${id}  ${secrets} secrets${current ? ', current' : ''}${missing ? ', NOT IN THE FILE: these cannot be opened' : ''}\n`;

/** @throws Error when a key of that name is there: what it seals would open no more. */
function addKey(file: string, id: string): string {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const text = `${newKeyLine(id)}\n${before}`;
  parseKeys(text, file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(draft, file);
  return id;
}

async function withDb(io: Io, work: (db: Db) => Promise<void>): Promise<void> {
  const db = createDb(commandPool(io, 'secrets'));
  try {
    await work(db);
  } finally {
    await db.destroy();
  }
}

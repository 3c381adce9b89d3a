import { join } from 'node:path';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { readOrMake } from './files.ts';
import { newPassword, query } from './postgres.ts';

/** Addresses of the database for the processes of the cloud, each with no more rights than its role. */
export interface Logins {
  readonly api: string;
  readonly ingest: string;
  readonly worker: string;
  readonly provisioner: string;
}

/**
 * Makes the logins of a server of our own, after the migrations made the roles: a stolen connection of the API then is
 * not the owner's. Safe to repeat; the passwords stay.
 */
export async function createLogins(ownerUrl: string, secrets: string): Promise<Logins> {
  return {
    api: await login(ownerUrl, secrets, 'parkline_api_login', 'parkline_app'),
    ingest: await login(ownerUrl, secrets, 'parkline_ingest_login', 'parkline_ingest'),
    worker: await login(ownerUrl, secrets, 'parkline_worker_login', 'parkline_worker'),
    provisioner: await login(ownerUrl, secrets, 'parkline_provisioner_login', 'parkline_provisioner'),
  };
}

async function login(ownerUrl: string, secrets: string, name: string, role: string): Promise<string> {
  const password = (await readOrMake(join(secrets, name), newPassword)).trim();
  const user = escapeIdentifier(name);
  const known = await query(ownerUrl, 'select from pg_roles where rolname = $1', [name]);
  if (known.length === 0) await query(ownerUrl, `create role ${user} login noinherit`);
  await query(
    ownerUrl,
    `alter role ${user} password ${escapeLiteral(password)};
     grant ${escapeIdentifier(role)} to ${user};
     alter role ${user} set role to ${escapeLiteral(role)}`,
  );
  const url = new URL(ownerUrl);
  url.username = name;
  url.password = password;
  return url.href;
}

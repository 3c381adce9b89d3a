import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createLogins } from './logins.ts';
import { query } from './postgres.ts';

let secrets: string;
beforeAll(async () => {
  secrets = await mkdtemp(join(tmpdir(), 'parkline-logins-'));
  for (const role of ['parkline_app', 'parkline_ingest', 'parkline_worker', 'parkline_provisioner'])
    // Another test file may make the roles of this server at the same moment.
    await query(inject('postgresUrl'), `create role ${role} nologin noinherit`).catch(() => undefined);
});
afterAll(() => rm(secrets, { recursive: true, force: true }));

test('each process works in its own role, without the rights of the owner, and keeps its password', async () => {
  const logins = await createLogins(inject('postgresUrl'), secrets);
  expect(await createLogins(inject('postgresUrl'), secrets)).toEqual(logins);
  const who = `select current_user as role, current_setting('is_superuser') as super`;
  expect(await query(logins.api, who)).toEqual([{ role: 'parkline_app', super: 'off' }]);
  expect(await query(logins.ingest, who)).toEqual([{ role: 'parkline_ingest', super: 'off' }]);
  expect(await query(logins.worker, who)).toEqual([{ role: 'parkline_worker', super: 'off' }]);
  expect(await query(logins.provisioner, who)).toEqual([{ role: 'parkline_provisioner', super: 'off' }]);
  await expect(query(logins.api, 'set role parkline_ingest')).rejects.toThrow(/permission denied/);
});

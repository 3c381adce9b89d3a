import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '@parkline/contract';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeEach, expect } from 'vitest';
import type { Db } from '../platform/db.ts';
import { createApp } from '../platform/http.ts';
import { newId } from '../platform/ids.ts';
import { createLog } from '../platform/log.ts';
import { createSecrets, newKeyLine, type Secrets } from '../platform/secrets.ts';
import { createPasswords } from './password.ts';
import { allPermissions, strongPermissions } from './permissions.ts';
import { createPeopleAdmin } from './people-admin.ts';
import { peopleRoutes } from './people-routes.ts';
import { identityRoutes } from './routes.ts';
import { securityRoutes } from './security-routes.ts';
import type { SecondFactorRule } from './session.ts';
import { givenAccount, givenPerson, testKeeper } from './testing.ts';
import { createTestBrowser, type TestBrowser } from './testing-browser.ts';

/** A cloud that people of several browsers log in to, with routes that ask for a second factor. Each test is a day later. */
export async function createLoginPark({ app: db, owner }: { readonly app: Db; readonly owner: Db }) {
  const world = { clock: Date.parse('2026-11-22T10:00:00Z'), rule: 'required' as SecondFactorRule };
  const now = () => new Date(world.clock);
  const secrets = secretsInFolder();
  const required = await serve({ db, now, secrets, rule: 'required' });
  const whenEnrolled = await serve({ db, now, secrets, rule: 'when_enrolled' });
  beforeEach(() => {
    world.clock += 86_400_000;
    world.rule = 'required';
  });
  const browser = () => createTestBrowser(() => (world.rule === 'required' ? required : whenEnrolled));
  const codeOf = (secret: string) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: world.clock });
  return {
    world,
    now,
    browser,
    codeOf,
    async somebody(role: Role = 'facility_engineer') {
      return givenPerson(owner, { accountId: await givenAccount(owner), roles: [role] });
    },
    async loggedIn(person: { login: string; password: string }): Promise<TestBrowser> {
      const one = browser();
      const reply = await one.post('/api/login', { login: person.login, password: person.password });
      expect(reply.statusCode).toBe(204);
      return one;
    },
    /** Enrols an app in this session. */
    async enrol(one: TestBrowser) {
      const { id, secret } = (await one.post('/api/me/second-factors/totp', { name: 'Phone' })).json();
      const reply = await one.post(`/api/me/second-factors/totp/${id}/confirm`, { code: codeOf(secret) });
      expect(reply.statusCode).toBe(200);
      world.clock += 30_000; // The code of this step is used.
      const { recoveryCodes } = reply.json() as { recoveryCodes?: string[] };
      return { id: id as string, secret: secret as string, recoveryCodes: recoveryCodes ?? [] };
    },
    give: (one: TestBrowser, code: string) => one.outcome('POST', '/api/me/second-factor/code', { code }),
  };
}

function secretsInFolder(): Secrets {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-factor-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'keys'), newKeyLine('k1'));
  return createSecrets(join(folder, 'keys'));
}

interface Serving {
  readonly db: Db;
  readonly now: () => Date;
  readonly secrets: Secrets;
  readonly rule: SecondFactorRule;
}

async function serve({ db, now, secrets, rule }: Serving) {
  const passwords = createPasswords();
  const keeper = testKeeper(db, { now, secondFactor: rule });
  const made = await createApp({
    log: createLog('silent'),
    permissions: allPermissions,
    strongPermissions,
    authenticate: keeper.authenticate,
    ratePerS: 10_000,
  });
  const nameOfTenant = () => Promise.resolve(undefined);
  await made.register(identityRoutes({ db, now, newId, passwords, sessions: keeper, nameOfTenant }));
  await made.register(securityRoutes({ db, now, newId, passwords, secrets, keeper, rule }));
  await made.register(peopleRoutes(createPeopleAdmin({ db, now, newId, nameOfTenant })));
  made.post('/api/look', { config: { permission: 'place.read', fresh: true } }, () => ({ changed: true }));
  const act = { config: { permission: 'command.write', fresh: true } };
  made.post('/api/act', act, () => ({ done: true }));
  made.get('/api/look', { config: { permission: 'place.read' } }, () => ({ seen: true }));
  await made.ready();
  return made;
}

// People with sessions, for tests of who may do what with an order.
import { createHash, randomUUID } from 'node:crypto';
import type { Role, Skill } from '@parkline/contract';
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Pool } from 'pg';
import { headersOf } from '../identity/testing.ts';
import { newId } from '../platform/ids.ts';

export interface TestPerson {
  readonly id: string;
  readonly name: string;
  /** Asks the API as this person. */
  get(url: string): Promise<Reply>;
  post(url: string, payload?: InjectOptions['payload'], type?: string): Promise<Reply>;
  /** `version`: the one that is changed, as it was read; the first where nothing was set. */
  put(url: string, payload: object, version?: number): Promise<Reply>;
}
export interface Reply {
  readonly status: number;
  /** Whatever the API answers: the test says what it should be. */
  readonly body: ReturnType<typeof JSON.parse>;
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A person of the account with a living session. `owner` is not bound by policies. */
export async function givenWorker(
  { owner, app }: { owner: Pool; app: FastifyInstance },
  accountId: string,
  person: { name: string; roles: Role[]; skills?: Skill[]; floors?: string[]; buildings?: string[] },
): Promise<TestPerson> {
  const [id, token] = [newId(), randomUUID()];
  const { name, roles, skills = [], floors = [], buildings = [] } = person;
  await owner.query(
    `insert into person (id, account_id, login, name, password_hash, skills)
     values ($1, $2, $3, $4, '$argon2id$none', $5)`,
    [id, accountId, `${name}-${id}`, name, skills],
  );
  for (const role of roles)
    await owner.query('insert into role_grant (id, account_id, person_id, role) values ($1, $2, $3, $4)', [
      newId(),
      accountId,
      id,
      role,
    ]);
  for (const [column, places] of [['floor_id', floors] as const, ['building_id', buildings] as const])
    for (const place of places)
      await owner.query(`insert into person_area (account_id, person_id, ${column}) values ($1, $2, $3)`, [
        accountId,
        id,
        place,
      ]);
  await owner.query(
    `insert into session (id, account_id, person_id, token_hash, created_at, seen_at, expires_at, factor_at)
     values ($1, $2, $3, $4, now(), now(), now() + interval '1 day', now())`,
    [newId(), accountId, id, createHash('sha256').update(token).digest()],
  );

  async function ask(options: InjectOptions): Promise<Reply> {
    const headers = { ...headersOf(token), ...options.headers };
    const reply = await app.inject({ ...options, headers });
    const isJson = String(reply.headers['content-type']).startsWith('application/json');
    const { statusCode: status, rawPayload: bytes } = reply;
    return { status, body: isJson ? reply.json() : undefined, bytes, headers: reply.headers };
  }
  return {
    id,
    name,
    get: (url) => ask({ method: 'GET', url }),
    post: (url, payload, type) =>
      ask({
        ...{ method: 'POST', url },
        ...(payload !== undefined && { payload }),
        ...(type && { headers: { 'content-type': type } }),
      }),
    put: (url, payload, version = 0) =>
      ask({ method: 'PUT', url, payload, headers: { 'if-match': `"${version}"` } }),
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type ClaimChallenge, claimText, type NewClaimCode, readClaimCode } from '@parkline/contract';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDb } from '../../cloud/src/platform/db.ts';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { issueDue } from '../../cloud/src/provisioning/run-provisioner.ts';
import { makeKeys, type TestKeys, wordySigner } from '../../cloud/src/provisioning/testing.ts';
import { serveApi } from '../../cloud/src/testing-api.ts';
import { type FullAccount, givenFullAccount } from '../../cloud/src/testing.ts';
import { type Attack, tryAll } from './attempts.ts';

const database = await clonedDatabase();
const pool = database.pool();
const { app } = await serveApi(database);
const provisioner = {
  db: createDb(database.pool('parkline_provisioner')),
  signer: wordySigner(),
  now: () => new Date(),
  log: pino({ enabled: false }),
};
let ours: FullAccount;
let address = 0;
beforeAll(async () => {
  ours = await givenFullAccount(pool);
  await pool.query(
    `insert into cloud_key (public_key, at) values ('the key of the cloud', now()) on conflict do nothing`,
  );
});
afterAll(() => app.close());

const post = (url: string, payload: object, headers: Readonly<Record<string, string>> = {}) =>
  app.inject({ method: 'POST', url, payload, headers, remoteAddress: `203.0.113.${address}` });

async function newCode(): Promise<NewClaimCode> {
  address += 1; // Each attack from an address of its own.
  const reply = await post(
    `/api/gateways/${ours.ids['/api/gateways']}/claim-codes`,
    {},
    ours.as.account_admin,
  );
  if (reply.statusCode !== 201) throw new Error(`no code to attack: ${reply.body}`);
  return reply.json();
}

/** Asks a challenge and answers it. `forge` may change what is sent. */
async function claim(
  code: string,
  keys: TestKeys,
  { forge = {}, site }: { forge?: object; site?: string } = {},
): Promise<string> {
  const begun = await post('/api/claims', { code, ...(site && { site }) });
  if (begun.statusCode !== 201) return 'refused';
  const { challenge } = begun.json<ClaimChallenge>();
  const proofs = keys.proofs(claimText(readClaimCode(code) ?? '', challenge, keys.publicKeys));
  const asking = post('/api/claims/complete', { code, challenge, keys: keys.publicKeys, proofs, ...forge });
  let isOver = false;
  void asking.finally(() => (isOver = true));
  while (!isOver) {
    await issueDue(provisioner);
    await sleep(10);
  }
  const { statusCode } = await asking;
  return statusCode === 200 ? 'let in' : statusCode < 500 ? 'refused' : String(statusCode);
}

const burn = async (): Promise<string> => {
  const { code } = await newCode();
  const seen = await claim(code, makeKeys());
  if (seen !== 'let in') throw new Error(`the claim that the attempts are about was ${seen}`);
  return code;
};

const attacks: Attack[] = [
  {
    attack: 'use a code a second time with other keys',
    expected: 'refused',
    run: async () => claim(await burn(), makeKeys()),
  },
  {
    attack: 'use a code after its time',
    expected: 'refused',
    run: async () => {
      const { code } = await newCode();
      await pool.query(
        `update claim_code set created_at = now() - interval '2 hours', expires_at = now() - interval '1 second'
         where burned_at is null`,
      );
      return claim(code, makeKeys());
    },
  },
  {
    attack: 'use a code for a gateway of another site',
    expected: 'refused',
    run: async () => claim((await newCode()).code, makeKeys(), { site: 'somewhere-else' }),
  },
  {
    attack: "answer with proofs of somebody else's keys",
    expected: 'refused',
    run: async () => claim((await newCode()).code, makeKeys(), { forge: { keys: makeKeys().publicKeys } }),
  },
  {
    attack: 'answer an invented challenge',
    expected: 'refused',
    run: async () => claim((await newCode()).code, makeKeys(), { forge: { challenge: 'A'.repeat(43) } }),
  },
  {
    attack: 'answer with no proof at all',
    expected: 'refused',
    run: async () => {
      const none = { signing: 'A'.repeat(86), nkey: 'A'.repeat(86), tls: 'A'.repeat(86) };
      return claim((await newCode()).code, makeKeys(), { forge: { proofs: none } });
    },
  },
  {
    attack: 'win a race of 20 with one code more than once',
    expected: 'one is let in',
    run: async () => {
      const { code } = await newCode();
      const seen = await Promise.all(Array.from({ length: 20 }, () => claim(code, makeKeys())));
      const wins = seen.filter((one) => one === 'let in').length;
      return wins === 1 ? 'one is let in' : `${wins} are let in`;
    },
  },
  {
    attack: 'guess codes, 150 of them',
    expected: 'refused, then locked',
    run: async () => {
      address += 1;
      const codes = new Set<number>();
      for (let i = 0; i < 150; i += 1) {
        const code = `${String(i).padStart(4, '0')}-AAAA-BBBB-CCCC-DDDD`;
        codes.add((await post('/api/claims', { code })).statusCode);
      }
      return codes.has(429) && [...codes].every((code) => [403, 404, 429].includes(code))
        ? 'refused, then locked'
        : [...codes].join();
    },
  },
  {
    attack: 'make a code as an installer',
    expected: 'refused',
    run: async () => {
      const url = `/api/gateways/${ours.ids['/api/gateways']}/claim-codes`;
      const { statusCode } = await post(url, {}, ours.as.installer);
      return statusCode === 403 ? 'refused' : String(statusCode);
    },
  },
  {
    attack: 'find the code in what is stored',
    expected: 'not there',
    run: async () => {
      const { code } = await newCode();
      const plain = readClaimCode(code) ?? code;
      const { rows } = await pool.query<{ text: string }>(
        `select coalesce(string_agg(c::text, ''), '') || (select coalesce(string_agg(a::text, ''), '') from audit_event a) as text from claim_code c`,
      );
      return rows[0]!.text.includes(plain) || rows[0]!.text.includes(code) ? 'there' : 'not there';
    },
  },
];

test('a claim code lets in one gateway, once', async (context) => {
  expect(await tryAll(context, 'claims', attacks)).toEqual([]);
});

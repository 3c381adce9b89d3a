import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createUser } from '@nats-io/nkeys';
import { describe, expect, test } from 'vitest';
import { createLog } from './log.ts';
import { createSecrets } from './secrets.ts';

const word = () => randomBytes(15).toString('base64url').replaceAll(/[-_]/g, 'x');
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const seed = new TextDecoder().decode(createUser().getSeed());

/** What is said, and what of it must not be read. */
const shapes: [string, (secret: string) => readonly [facts: object, message?: string], string?][] = [
  ['a password', (password) => [{ password }]],
  ['a password in a body', (s) => [{ body: { login: 'a', newPassword: s } }]],
  ['a password five levels deep', (s) => [{ a: { b: { c: { d: { password: s } } } } }]],
  ['a session cookie among headers', (s) => [{ req: { headers: { cookie: `parkline_session=${s}` } } }]],
  [
    'a set-cookie list',
    (s) => [{ res: { headers: { 'set-cookie': [`__Host-parkline_session=${s}; Secure`] } } }],
  ],
  ['a session cookie in words', (s) => [{}, `sent parkline_session=${s}; Path=/`]],
  ['an authorization header', (s) => [{ headers: { Authorization: `Bearer ${s}` } }]],
  ['a bearer token in words', (s) => [{}, `curl -H 'authorization: bearer ${s}'`]],
  ['an API key', (s) => [{ apiKey: s, 'api-key': s, x_api_key: s }]],
  ['the password of an address', (s) => [{ url: `postgres://app:${s}@db.example:5432/parkline` }]],
  ['the password of an address in an error', (s) => [{ err: new Error(`connect nats://gw:${s}@hub:4222`) }]],
  ['a query', (s) => [{ url: `/reset?token=${s}&next=/` }]],
  ['a document in a text', (s) => [{ raw: JSON.stringify({ client: { client_secret: s } }) }]],
  ['a private key', () => [{ err: new Error(`bad key ${pem}`) }], pem.split('\n')[1]!],
  ['an nkey seed', () => [{}, `no user ${seed}`], seed],
  ['a JWT', (s) => [{ said: `got ${part({ alg: 'none' })}.${part({ sub: s })}.${s}` }]],
  ['a one-time code', () => [{ otp: 493_817 }], '493817'],
  ['a TOTP address', (s) => [{ uri: `otpauth://totp/Parkline:a?secret=${s}&issuer=P` }]],
  ['a password hash', (s) => [{ stored: `$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$${s}` }]],
  ['a claim code', (s) => [{ claimCode: s, recovery_code: s }]],
  ['a device credential', (s) => [{ bus: { params: { credentials: { user: 'u', pass: s } } } }]],
  ['the cause of an error', (s) => [{ err: new Error('a', { cause: new Error(`password=${s}`) }) }]],
  ['a field of an error', (s) => [{ err: Object.assign(new Error('a'), { details: { token: s } }) }]],
  ['a list of tokens', (s) => [{ tokens: [s, s] }]],
];

function logged(say: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  say(createLog('info', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

describe('the log', () => {
  test.each(shapes)('never holds %s', (_what, say, known) => {
    const secret = known ?? word();
    const [facts, message = 'said'] = say(secret);
    const line = logged((log) => {
      log.info(facts, message);
      log.child(facts).warn({ again: facts }, message);
    });
    expect(line).toContain('[secret]');
    expect(line).not.toContain(secret);
  });

  test('never holds what is sealed, which names its key to whoever steals the database', () => {
    const sealed = `sealed:v1:k:${'A'.repeat(40)}`;
    expect(() => createSecrets(undefined).open(sealed, 'p')).toThrow(/SECRETS_KEY_FILE/);
    expect(logged((log) => log.info({ sealed }, sealed))).not.toContain('AAAA');
  });

  test('keeps every other fact as it was said', () => {
    const facts = {
      gatewayId: 'g1',
      code: 'forbidden',
      url: 'https://park.example/api?limit=5',
      n: 1.5,
      no: null,
    };
    const line = logged((log) => log.info({ ...facts, hasToken: true }, 'a session ended'));
    expect(JSON.parse(line)).toMatchObject({ ...facts, hasToken: true, msg: 'a session ended', level: 30 });
    expect(line.endsWith('}\n')).toBe(true);
  });
});

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClaimReply,
  claimText,
  formatClaimCode,
  type GatewayKeys,
  readClaimCode,
} from '@parkline/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Disk } from '../base/disk.ts';
import { scratch } from '../testing/scratch.ts';
import { claimedYaml, claimGateway } from './claim.ts';
import { type CloudClient, CloudError, createCloudClient } from './cloud-client.ts';
import { createLogRing, withoutSecrets } from './log-ring.ts';
import { openIdentityStore } from './store.ts';

const gatewayId = '018f0000-0000-7000-8000-000000000001';
const code = formatClaimCode(Uint8Array.from({ length: 19 }, (_, n) => n * 7));
const signal = new AbortController().signal;
const name = { en: 'A', zh: 'A' };
const site = { id: gatewayId, key: 'harbour', name };
const credentials = {
  ...{ jwt: 'a.b.c', certificate: 'cert', ca: 'ca' },
  ...{ issuedAt: '2026-11-23T00:00:00.000Z', expiresAt: '2026-12-23T00:00:00.000Z' },
};
const reply: ClaimReply = {
  ...{ gatewayId, name: 'A', timezone: 'UTC', natsUrl: 'tls://hub:4222', cloudKey: 'cloud', credentials },
  ...{ site: { id: site.id, key: site.key }, config: `gatewayId: ${gatewayId}\n` },
};
const challenge = {
  challenge: 'Q2hhbGxlbmdl',
  expiresAt: credentials.expiresAt,
  site,
  gateway: { id: gatewayId, key: 'a', name },
};

/** A cloud that answers as it is told, and remembers the keys that it saw. */
function cloudOf(answers: (path: string) => unknown = () => undefined) {
  const seen: GatewayKeys[] = [];
  const cloud: CloudClient = {
    post(path, body) {
      if ('keys' in body) seen.push(body.keys as GatewayKeys);
      const answer = answers(path);
      if (answer instanceof Error) return Promise.reject(answer);
      return Promise.resolve(answer ?? (path === '/api/claims' ? challenge : reply));
    },
  };
  return { cloud, seen };
}
/** Does not wait for the platter: that takes most of the time of a test. */
const quickDisk: Disk = {
  replace(path, text) {
    writeFileSync(path, text, { mode: 0o600 });
  },
  remove(path) {
    rmSync(path, { force: true });
  },
};
const claim = (home: string, cloud: CloudClient, disk: Disk = quickDisk) =>
  claimGateway(
    {
      home,
      store: openIdentityStore(home, disk),
      cloud,
      wait: () => Promise.resolve(),
      show: () => undefined,
    },
    { code, cloudUrl: 'https://cloud' },
    signal,
  );

describe('a claim', () => {
  test('puts everything into force, readable by its owner alone, and is done once', async () => {
    using home = scratch();
    const { cloud, seen } = cloudOf();
    expect(await claim(home.path, cloud)).toMatchObject({ state: 'done', gatewayId });
    const files = readdirSync(join(home.path, 'keys')).toSorted();
    expect(files).toEqual([
      ...['ca.crt.pem', 'cloud.pub.pem', 'identity.json', 'nats.jwt', 'nats.nk', 'signing.pem'],
      ...['tls.crt.pem', 'tls.key.pem'],
    ]);
    for (const file of files) expect(statSync(join(home.path, 'keys', file)).mode & 0o077).toBe(0);
    expect(await claim(home.path, cloud)).toMatchObject({ state: 'already' });
    expect(seen).toHaveLength(1);
    expect(JSON.stringify(seen)).not.toMatch(/PRIVATE|"SU/);
  });

  test('that is killed at any write goes on with the same keys', async () => {
    for (let killAt = 1; ; killAt += 1) {
      using home = scratch();
      const { cloud, seen } = cloudOf();
      let writes = 0;
      const dying: Disk = {
        replace(path, text) {
          writes += 1;
          if (writes === killAt) throw new Error('killed');
          quickDisk.replace(path, text);
        },
        remove: quickDisk.remove,
      };
      const died = await claim(home.path, cloud, dying).then(
        () => false,
        () => true,
      );
      if (!died) {
        expect(killAt).toBeGreaterThan(8);
        return;
      }
      expect(await claim(home.path, cloud)).toMatchObject({ gatewayId });
      expect(new Set(seen.map(({ nkey }) => nkey)).size).toBeLessThanOrEqual(1);
      expect(existsSync(join(home.path, 'keys/next.json'))).toBe(false);
      expect(readFileSync(join(home.path, 'keys/nats.jwt'), 'utf8')).toBe('a.b.c\n');
    }
  });

  test('whose answer is lost asks again with the same keys', async () => {
    using home = scratch();
    let lost = 2;
    const { cloud, seen } = cloudOf((path) =>
      path.endsWith('complete') && lost-- > 0 ? new CloudError('unreachable', 'cut') : undefined,
    );
    await expect(claim(home.path, cloud)).rejects.toThrow('cut');
    await expect(claim(home.path, cloud)).rejects.toThrow('cut');
    expect(await claim(home.path, cloud)).toMatchObject({ state: 'done' });
    expect([seen.length, new Set(seen.map(({ nkey }) => nkey)).size]).toEqual([3, 1]);
  });

  test('for another site than gateway.yaml names is refused before the code is used up', async () => {
    using home = scratch();
    writeFileSync(join(home.path, 'gateway.yaml'), 'site: mill\n');
    const { cloud, seen } = cloudOf();
    await expect(claim(home.path, cloud)).rejects.toMatchObject({ code: 'refused', why: 'other_site' });
    expect(seen).toEqual([]);
    expect(readdirSync(home.path)).toEqual(['gateway.yaml']);
  });

  test.each(['/api/claims', '/api/claims/complete'])(
    'that %s refuses leaves nothing where nothing was before',
    async (refused) => {
      using folder = scratch();
      const { cloud } = cloudOf((path) => (path === refused ? new CloudError('refused', 'used') : undefined));
      await expect(claim(join(folder.path, 'park', 'gw-a'), cloud)).rejects.toThrow('used');
      expect(readdirSync(folder.path)).toEqual([]);

      writeFileSync(join(folder.path, 'notes.txt'), 'mine');
      await expect(claim(folder.path, cloud)).rejects.toThrow('used');
      expect(readdirSync(folder.path)).toEqual(['notes.txt']);
    },
  );

  test('that is refused after its keys may have been taken keeps them', async () => {
    using home = scratch();
    const answers = [new CloudError('unreachable', 'cut'), new CloudError('refused', 'past its time')];
    const { cloud, seen } = cloudOf((path) => (path.endsWith('complete') ? answers.shift() : undefined));
    await expect(claim(home.path, cloud)).rejects.toThrow('cut');
    await expect(claim(home.path, cloud)).rejects.toThrow('past its time');
    expect(await claim(home.path, cloud)).toMatchObject({ state: 'done' });
    expect([seen.length, new Set(seen.map(({ nkey }) => nkey)).size]).toEqual([3, 1]);

    using other = scratch();
    const later = [{ ...reply, credentials: null }, new CloudError('refused', 'taken back')];
    const slow = cloudOf((path) => (path.endsWith('complete') ? later.shift() : undefined));
    await expect(claim(other.path, slow.cloud)).rejects.toThrow('taken back');
    expect(await claim(other.path, slow.cloud)).toMatchObject({ state: 'done' });
    expect(new Set(slow.seen.map(({ nkey }) => nkey)).size).toBe(1);
  });

  test('waits for the signer, and says so when it does not sign', async () => {
    using home = scratch();
    const { cloud, seen } = cloudOf((path) =>
      path.endsWith('complete') ? { ...reply, credentials: null } : undefined,
    );
    expect(await claim(home.path, cloud)).toEqual({ state: 'unsigned', gatewayId });
    expect(new Set(seen.map(({ nkey }) => nkey)).size).toBe(1);
    expect(existsSync(join(home.path, 'keys/identity.json'))).toBe(false);
  });

  test('keeps what was mapped, and its comments', () => {
    const yaml =
      'gatewayId: old # made here\nnats: { url: tls://unclaimed.invalid:4222 }\nconnections: [] # none yet\n';
    const claimed = claimedYaml(yaml, reply);
    expect(claimed).toContain('# none yet');
    expect(claimed).toContain(`gatewayId: ${gatewayId} # made here`);
    expect(claimed).toContain('tls://hub:4222');
    expect(claimed).toContain('site: harbour');
  });
});

describe('an address is refused', () => {
  test.each([
    ['http:// to another machine', { url: 'http://10.0.0.1' }],
    ['no address', { url: 'cloud' }],
    ['another protocol', { url: 'ftp://cloud' }],
    ['a pin that is none', { url: 'https://cloud', pin: 'sha256/short' }],
    ['a pin without TLS', { url: 'http://127.0.0.1', pin: `sha256/${'A'.repeat(43)}=` }],
  ])('%s', (_what, address) => {
    expect(() => createCloudClient(address)).toThrow(expect.objectContaining({ code: 'wrong_use' }));
  });
  test.each(['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1', 'https://cloud'])(
    'and not %s',
    (url) => {
      expect(() => createCloudClient({ url })).not.toThrow();
    },
  );
});

describe('a code', () => {
  test('is read however it is typed, and no slip of one character passes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 19, maxLength: 19 }),
        fc.nat(19),
        fc.nat(30),
        (bytes, at, step) => {
          const made = formatClaimCode(bytes);
          const plain = made.replaceAll('-', '');
          expect(readClaimCode(` ${made.toLowerCase()} `)).toBe(plain);
          const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
          const other = alphabet[(alphabet.indexOf(plain[at]!) + step + 1) % 32]!;
          expect(readClaimCode(plain.slice(0, at) + other + plain.slice(at + 1))).toBeUndefined();
        },
      ),
    );
  });
  test('goes into what is signed, beside the challenge and every key', () => {
    const keys = { signing: 's', nkey: 'n', tls: 't' };
    expect(claimText('c', 'h', keys).split('\n')).toEqual(['parkline claim 1', 'c', 'h', 's', 'n', 't']);
  });
});

describe('the last lines of the log', () => {
  test('are 2,000 at most, the newest, within a size', () => {
    const ring = createLogRing();
    for (let n = 1; n <= 2_500; n += 1) ring.take(`{"n":${n}}\n`);
    const all = ring.last(5_000, 1e6);
    expect([all.lines.length, all.lines[0], all.lines.at(-1)]).toEqual([2_000, '{"n":501}', '{"n":2500}']);
    expect(ring.last(3, 1e6)).toEqual({
      lines: ['{"n":2498}', '{"n":2499}', '{"n":2500}'],
      truncated: false,
    });
    expect(ring.last(2_000, 40)).toMatchObject({ lines: ['{"n":2499}', '{"n":2500}'], truncated: true });
  });
  test.each([
    ['a field by its name', '{"password":"hunter2","n":1}', 'hunter2'],
    ['a seed', `{"why":"SU${'A'.repeat(56)}"}`, 'SUAAAA'],
    ['a JWT', '{"why":"eyJhbGciOi.eyJqdGki.c2ln"}', 'eyJhbGci'],
    ['a private key', '{"why":"-----BEGIN PRIVATE KEY-----\\nMC4C"}', 'MC4C'],
    ['a login in an address', '{"url":"nats://me:pw@hub:4222"}', 'me:pw'],
  ])('never hold %s', (_what, line, secret) => {
    expect(withoutSecrets(line)).not.toContain(secret);
    expect(withoutSecrets(line)).toContain('[cut]');
  });
});

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@parkline/client';
import { ClaimChallenge, ClaimReply, claimText, readClaimCode } from '@parkline/contract';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { parseDocument } from 'yaml';
import type { Wait } from '../base/clock.ts';
import { type CloudClient, CloudError } from './cloud-client.ts';
import { proveKeys, publicKeysOf } from './keys.ts';
import type { IdentityStore } from './store.ts';

export interface ClaimDeps {
  /** Folder of the gateway. */
  readonly home: string;
  readonly store: IdentityStore;
  readonly cloud: CloudClient;
  readonly wait: Wait;
  /** Where it stands, for a person who waits. */
  readonly show: (text: string) => void;
}

/** done: in force. already: it was, by the same code. unsigned: the cloud has the keys, and nobody has signed for them yet. */
export type Claimed =
  | {
      readonly state: 'done' | 'already';
      readonly gatewayId: string;
      readonly site: string;
      readonly expiresAt: string;
    }
  | { readonly state: 'unsigned'; readonly gatewayId: string };

/** Tries while the cloud has not signed yet, and the pause between them. */
const ROUNDS = 6;
const PAUSE_MS = 2_000;

/**
 * Joins this gateway to the cloud: makes its keys here, proves them, puts what it is given into force. Run again after any
 * interruption it goes on with the same keys; refused at the first attempt it leaves none. @throws CloudError; UsageError-like CloudError 'wrong_use' on a mistyped code.
 */
export async function claimGateway(
  deps: ClaimDeps,
  { code: typed, cloudUrl }: { readonly code: string; readonly cloudUrl: string },
  signal: AbortSignal,
): Promise<Claimed> {
  const { store, wait, show } = deps;
  const code = readClaimCode(typed);
  if (code === undefined)
    throw new CloudError(
      'wrong_use',
      'the code is mistyped: compare its five groups of four letters and digits with what you were given, sign by sign',
    );
  store.settle(); // A kill may have come between the answer and the files.
  const codeHash = createHash('sha256').update(code).digest('hex');
  const known = store.identity();
  if (known?.codeHash === codeHash && !store.next())
    return { state: 'already', gatewayId: known.gatewayId, site: '', expiresAt: known.expiresAt };
  let gatewayId = '';
  for (let round = 0; round < ROUNDS && !signal.aborted; round += 1) {
    if (round > 0) await wait(PAUSE_MS, signal);
    const reply = await ask(deps, code).catch((error: unknown) => {
      // The cloud took none of the keys that were made for this attempt; what it may have taken is kept.
      if (round === 0 && error instanceof CloudError && error.code === 'refused') store.discard();
      throw error;
    });
    gatewayId = reply.gatewayId;
    const { credentials } = reply;
    if (credentials) return settle(deps, reply, { cloudUrl, codeHash });
    show('the keys are accepted; waiting until they are signed');
  }
  return { state: 'unsigned', gatewayId };
}

/** One round: a challenge, and its answer. */
async function ask({ home, store, cloud, show }: ClaimDeps, code: string): Promise<ClaimReply> {
  const site = siteOf(home);
  const named = site === undefined ? {} : { site };
  show('asking the cloud');
  const api = createClient(({ url, body }) => cloud.post(url, body as object));
  const begun = checked(ClaimChallenge, await api.ask('beginClaim', { body: { code, ...named } }));
  // Before the code is used up.
  if (site !== undefined && site !== begun.site.key && site !== begun.site.id)
    throw new CloudError('refused', `gateway.yaml says site ${site}, the code is for ${begun.site.key}`, {
      why: 'other_site',
    });
  const keys = store.prepare(); // Whom the cloud turns away at once has made none.
  const publicKeys = publicKeysOf(keys);
  show('the keys are made; proving them to the cloud');
  const { challenge } = begun;
  const proofs = proveKeys(keys, claimText(code, challenge, publicKeys));
  const answer = await api.ask('completeClaim', {
    body: { code, challenge, keys: publicKeys, proofs, ...named },
  });
  return checked(ClaimReply, answer);
}

function settle(
  { home, store }: ClaimDeps,
  reply: ClaimReply,
  { cloudUrl, codeHash }: { cloudUrl: string; codeHash: string },
): Claimed {
  const { gatewayId, cloudKey, credentials, site } = reply;
  if (!credentials) throw new Error('nothing was signed');
  const { issuedAt, expiresAt } = credentials;
  const yaml = claimedYaml(readYaml(home), reply);
  store.issued(store.prepare(), {
    ...{ gatewayId, cloudUrl, codeHash, issuedAt, expiresAt },
    credentials,
    cloudKey,
    yaml,
  });
  store.settle();
  return { state: 'done', gatewayId, site: site.key, expiresAt };
}

function readYaml(home: string): string | undefined {
  const path = join(home, 'gateway.yaml');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The site that a gateway was mapped for before it was claimed. */
function siteOf(home: string): string | undefined {
  const yaml = readYaml(home);
  const site: unknown = yaml === undefined ? undefined : parseDocument(yaml).get('site');
  return typeof site === 'string' && site !== '' ? site : undefined;
}

/** What is mapped here stays, under the name that the cloud has for this gateway; comments are kept. Pure. */
export function claimedYaml(
  yaml: string | undefined,
  { gatewayId, natsUrl, config, site }: Pick<ClaimReply, 'gatewayId' | 'natsUrl' | 'config' | 'site'>,
): string {
  if (yaml === undefined) return config;
  const document = parseDocument(yaml);
  if (document.errors[0]) throw new Error(`gateway.yaml cannot be read: ${document.errors[0].message}`);
  document.set('gatewayId', gatewayId);
  document.set('site', site.key);
  document.setIn(['nats', 'url'], natsUrl);
  return document.toString({ lineWidth: 0 });
}

function checked<T extends TSchema>(schema: T, value: unknown): Static<T> {
  if (Value.Check(schema, value)) return value;
  throw new CloudError(
    'unreachable',
    'the cloud answers in a way that this version does not know: update one of them',
  );
}

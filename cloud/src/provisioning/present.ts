import { createHash } from 'node:crypto';
import type { ClaimCode, DiffLine, GatewayConfigView, GatewayIdentityView } from '@parkline/contract';
import type { ListedCode } from './claim-repository.ts';
import type { ListedConfig } from './config-repository.ts';
import type { Credential } from './credentials.ts';
import type { AdministeredGateway, Rotation } from './gateway-repository.ts';
import { keyFingerprint } from './keys.ts';

const iso = (at: Date | null | undefined): string | null => at?.toISOString() ?? null;

/** Credentials are renewed at half of their life. Pure. */
export const renewAt = (issuedAt: Date, expiresAt: Date): Date =>
  new Date((issuedAt.getTime() + expiresAt.getTime()) / 2);

export function identityView(
  gateway: AdministeredGateway,
  credential: Credential | undefined,
  rotation: Rotation | undefined,
): GatewayIdentityView {
  const { id, key, name, buildingId, version, revokedAt } = gateway;
  return {
    ...{ id, key, name: { en: name.en, zh: name.zh }, buildingId, version },
    steps: {
      codeMadeAt: iso(gateway.codeMadeAt),
      claimedAt: iso(gateway.claimedAt),
      connectedAt: iso(gateway.connectedAt),
      configuredAt: iso(gateway.configuredAt),
      firstValueAt: iso(gateway.firstValueAt),
    },
    revokedAt: iso(revokedAt),
    rotation: rotation
      ? { askedAt: rotation.askedAt.toISOString(), until: rotation.expiresAt.toISOString() }
      : null,
    credentials: credential ? credentialView(credential) : null,
  };
}

function credentialView({ issuedAt, expiresAt, signingKey, failure }: Credential) {
  return {
    issuedAt: iso(issuedAt),
    expiresAt: iso(expiresAt),
    renewAt: issuedAt && expiresAt ? renewAt(issuedAt, expiresAt).toISOString() : null,
    fingerprint: keyFingerprint(signingKey),
    failure,
  };
}

export function codeView(row: ListedCode, now: Date): ClaimCode {
  const { id, createdAt, expiresAt, createdByName, burnedAt, reusedAt, revokedAt } = row;
  const state = burnedAt ? 'used' : revokedAt ? 'revoked' : expiresAt <= now ? 'expired' : 'open';
  return {
    ...{ id, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() },
    ...{ createdBy: createdByName, state, usedAt: iso(burnedAt), reusedAt: iso(reusedAt) },
  };
}

export const configView = (row: ListedConfig): GatewayConfigView => ({
  ...{ n: row.n, source: row.source, createdAt: row.createdAt.toISOString(), createdBy: row.createdByName },
  ...{ state: row.state, why: row.why, endedAt: iso(row.endedAt) },
});

export const textHash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** More lines than this on one side are shown as all removed and all added: comparing takes their product. */
const MOST_LINES = 4_000;

/** What became of each line, in order: the longest sequence that both have stays. Pure. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const middle = compare(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const same = (text: string): DiffLine => ({ how: 'same', text });
  return [...a.slice(0, start).map(same), ...middle, ...a.slice(a.length - end).map(same)];
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

function compare(a: readonly string[], b: readonly string[]): DiffLine[] {
  if (a.length > MOST_LINES || b.length > MOST_LINES)
    return [
      ...a.map((text): DiffLine => ({ how: 'removed', text })),
      ...b.map((text): DiffLine => ({ how: 'added', text })),
    ];
  const width = b.length + 1;
  // longest[i][j]: lines that a from i on and b from j on have in common.
  const longest = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: DiffLine[] = [];
  for (let [i, j] = [0, 0]; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ how: 'same', text: a[i] ?? '' });
      [i, j] = [i + 1, j + 1];
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ how: 'removed', text: a[i] ?? '' });
      i += 1;
    } else {
      lines.push({ how: 'added', text: b[j] ?? '' });
      j += 1;
    }
  }
  return lines;
}

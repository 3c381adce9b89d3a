import type {
  ClaimCode,
  ConfigCount,
  Gateway,
  GatewayConfigDiff,
  GatewayIdentityView,
  GatewayMapping,
} from '@parkline/contract';

/** 'taken over into Building A: 2 devices, 14 points; 1 device left out'. */
export function takenOver({ changes }: Pick<GatewayMapping, 'changes'>, building: string): string {
  const taken = changes.filter(({ what }) => what !== 'conflict');
  const points = taken.reduce((sum, one) => sum + one.points.add + one.points.change, 0);
  const left = changes.length - taken.length;
  const counts = `${counted(taken.length, 'device')}, ${counted(points, 'point')}`;
  return `taken over into ${building}: ${counts}${left > 0 ? `; ${counted(left, 'device')} left out` : ''}`;
}

/** That a gateway is asked for new keys, and what becomes of it while nobody hears from that gateway. Pure. */
export function rotationText(
  key: string,
  state: Gateway['state'],
  { rotation }: Pick<GatewayIdentityView, 'rotation'>,
): string {
  const asked = `${key} is asked to change its keys`;
  if (!rotation) return asked;
  const until = `until ${rotation.until}`;
  return state === 'online'
    ? `${asked}, ${until}`
    : `${asked}; it is ${state}, and is told when it is heard, ${until}`;
}

/**
 * How long the code that was made holds; what it does to a gateway that has joined, and that codes made before it hold beside
 * it. Ends with a line end. Pure.
 */
export function codeNotes(
  key: string,
  { steps, credentials, revokedAt }: Pick<GatewayIdentityView, 'steps' | 'credentials' | 'revokedAt'>,
  { made, before }: { readonly made: Pick<ClaimCode, 'expiresAt'>; readonly before: readonly ClaimCode[] },
): string {
  const lines = [`holds until ${made.expiresAt}; it is not shown again`];
  const hasJoined = steps.claimedAt !== null || credentials !== null;
  if (hasJoined && revokedAt === null)
    lines.push(
      `${key} has joined already: whatever machine claims with this code takes its place, and the keys of the one before end as soon as the new one is heard`,
    );
  const open = before.filter(({ state }) => state === 'open').map(({ expiresAt }) => expiresAt);
  if (open.length > 0)
    lines.push(
      `${open.length === 1 ? 'an older code holds' : `${open.length} older codes hold`} as well, until ${open.toSorted().at(-1) ?? ''}; the page of the gateway takes codes back`,
    );
  return lines.map((line) => `${line}\n`).join('');
}

const counted = (n: number, what: string): string => `${n} ${n === 1 ? what : pluralOf(what)}`;
const pluralOf = (what: string): string => (what.endsWith('s') ? `${what}es` : `${what}s`);

/** What a difference is taken against; empty where that goes without saying. */
export const diffNote = (gateway: string, { from }: GatewayConfigDiff): string =>
  from === null ? `nothing was sent to ${gateway} from here yet: all of it is new\n` : '';

/** Lines around a change that are shown with it. */
const AROUND = 2;
const signs = { same: ' ', added: '+', removed: '-' } as const;

/** What differs, with the lines around it; in the end how much, which hundreds of lines do not say. */
export function diffText({ changed, counts, lines: all }: GatewayConfigDiff): string {
  if (!changed) return 'nothing would change\n';
  const near = all.map((_line, at) =>
    all.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ how }) => how !== 'same'),
  );
  const shown = all.flatMap(({ how, text }, at) => (near[at] ? [`${signs[how]} ${text}\n`] : []));
  return [...shown, `${countsText(counts)}\n`].join('');
}

/** 'added: 2 buses, 14 devices; changed: 1 setting; removed: 3 points'. */
function countsText(counts: readonly ConfigCount[]): string {
  const parts = (['added', 'changed', 'removed'] as const).flatMap((how) => {
    const told = counts.filter((count) => count[how] > 0).map((count) => counted(count[how], count.kind));
    return told.length > 0 ? [`${how}: ${told.join(', ')}`] : [];
  });
  return parts.join('; ') || 'only the order or remarks differ';
}

import { createHash } from 'node:crypto';

/**
 * The gateways that a share of all means for one release: at least one, in an order that depends on the release, so that it is not
 * always the same ones that try first, and that stays, so that a larger share includes a smaller one. Pure.
 */
export function shareOf(releaseId: string, gatewayIds: readonly string[], share: number): string[] {
  const place = (id: string): string => createHash('sha256').update(`${releaseId} ${id}`).digest('hex');
  const ordered = gatewayIds
    .map((id) => ({ id, place: place(id) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ id }) => id);
  return ordered.slice(0, Math.ceil(share * ordered.length));
}

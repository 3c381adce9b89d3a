import type { Invitation, Person } from '@parkline/contract';
import type { InvitationRow } from './invitations.ts';
import type { PersonRow } from './roster.ts';

/** Names of tenants by id, in the reader's language. */
export type TenantNames = ReadonlyMap<string, string>;

const instant = (at: Date | null): string | null => at?.toISOString() ?? null;

/** A person as the API tells of it. Pure. */
export function personView(row: PersonRow, tenants: TenantNames): Person {
  const { createdAt, lastSeenAt, disabledAt, erasedAt, tenantId, skills, grants, ...rest } = row;
  return {
    ...rest,
    tenantId,
    tenantName: tenantId === null ? null : (tenants.get(tenantId) ?? null),
    // The checks of the database hold these to the words of the contract.
    skills: skills as Person['skills'],
    grants: grants as Person['grants'],
    createdAt: createdAt.toISOString(),
    lastSeenAt: instant(lastSeenAt),
    disabledAt: instant(disabledAt),
    erasedAt: instant(erasedAt),
  };
}

/** What became of an invitation, at `now`. Pure. */
export function invitationState(
  row: Pick<InvitationRow, 'acceptedAt' | 'revokedAt' | 'expiresAt'>,
  now: Date,
): Invitation['state'] {
  if (row.acceptedAt) return 'accepted';
  if (row.revokedAt) return 'revoked';
  return row.expiresAt <= now ? 'expired' : 'open';
}

/** Pure. */
export function invitationView(row: InvitationRow, tenants: TenantNames, now: Date): Invitation {
  const { id, login, name, email, language, tenantId, grants } = row;
  return {
    ...{ id, login, name, email, language, tenantId },
    tenantName: tenantId === null ? null : (tenants.get(tenantId) ?? null),
    grants: grants as Invitation['grants'],
    state: invitationState(row, now),
    createdAt: row.createdAt.toISOString(),
    sentAt: instant(row.sentAt),
    expiresAt: row.expiresAt.toISOString(),
  };
}

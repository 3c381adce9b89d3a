import type { Retention } from '../platform/retention.ts';
import { auditTrail } from './audit.ts';
import { deviceRetention } from './known-devices.ts';

const DAY_MS = 86_400_000;

/** Deeds are kept for `auditDays`, and at least for six months whatever is asked (the database sees to that). */
export const identityRetention = ({ auditDays }: { readonly auditDays: number }): Retention[] => [
  {
    what: 'audit entries',
    drop: (db, now) => auditTrail.cut(db, new Date(now.getTime() - auditDays * DAY_MS), now),
  },
  deviceRetention,
];

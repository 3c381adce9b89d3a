/** Local days of a lease, 'YYYY-MM-DD'; ends are exclusive. */
export interface LeaseDays {
  readonly from: string;
  readonly to: string | null;
  /** When the spaces were really taken and given back; null: as the lease says. */
  readonly movedIn: string | null;
  readonly movedOut: string | null;
}

/** Later than every day. */
const NEVER = '9999-12-31';

/** The days on which the spaces are the tenant's, as lease_space has them. Pure. */
export function heldDays({ from, to, movedIn, movedOut }: LeaseDays): {
  readonly from: string;
  readonly to: string;
} {
  const end = to ?? NEVER;
  return {
    from: movedIn !== null && movedIn > from ? movedIn : from,
    to: movedOut !== null && movedOut < end ? movedOut : end,
  };
}

/** Whether two leases hold spaces on some of the same days. Pure. */
export function overlaps(one: LeaseDays, other: LeaseDays): boolean {
  const [a, b] = [heldDays(one), heldDays(other)];
  return a.from < b.to && b.from < a.to;
}

export type MoveRefusal =
  | 'already_moved_in'
  | 'already_moved_out'
  | 'before_start'
  | 'after_end'
  | 'before_move_in'
  | 'space_locked'
  | 'overlap';

/** What else must be known of the spaces. */
export interface Handover {
  readonly date: string;
  /** On the calendar of the site. */
  readonly today: string;
  /** Keys of its spaces that are locked. */
  readonly locked: readonly string[];
  /** Another lease that would hold one of the spaces on the same days from then on. */
  readonly taken: boolean;
}

/** Why a tenant cannot move in on a day; undefined: it can. Pure. */
export function moveInRefusal(lease: LeaseDays, { date, locked, taken }: Handover): MoveRefusal | undefined {
  if (lease.movedIn !== null) return 'already_moved_in';
  if (lease.movedOut !== null) return 'already_moved_out';
  if (date < lease.from) return 'before_start';
  if (lease.to !== null && date >= lease.to) return 'after_end';
  if (locked.length > 0) return 'space_locked';
  return taken ? 'overlap' : undefined;
}

/** Why a tenant cannot move out on a day; undefined: it can. Who never was written down as moved in did so as it began. Pure. */
export function moveOutRefusal(lease: LeaseDays, { date, today, locked }: Handover): MoveRefusal | undefined {
  if (lease.movedOut !== null) return 'already_moved_out';
  if (date <= lease.from) return 'before_start';
  if (lease.movedIn === null && lease.from > today) return 'before_move_in';
  if (lease.movedIn !== null && date <= lease.movedIn) return 'before_move_in';
  if (lease.to !== null && date > lease.to) return 'after_end';
  return locked.length > 0 ? 'space_locked' : undefined;
}

import type { GatewayConfigDiff, GatewayMapping } from '@parkline/contract';

/** 'taken over into Building A: 2 devices, 14 points; 1 device left out'. */
export function takenOver({ changes }: Pick<GatewayMapping, 'changes'>, building: string): string {
  const taken = changes.filter(({ what }) => what !== 'conflict');
  const points = taken.reduce((sum, one) => sum + one.points.add + one.points.change, 0);
  const left = changes.length - taken.length;
  const counts = `${counted(taken.length, 'device')}, ${counted(points, 'point')}`;
  return `taken over into ${building}: ${counts}${left > 0 ? `; ${counted(left, 'device')} left out` : ''}`;
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** What a difference is taken against; empty where that goes without saying. */
export const diffNote = (gateway: string, { from }: GatewayConfigDiff): string =>
  from === null ? `nothing was sent to ${gateway} from here yet: all of it is new\n` : '';

/** Lines around a change that are shown with it. */
const AROUND = 2;
const signs = { same: ' ', added: '+', removed: '-' } as const;

export function diffText({ changed, lines: all }: GatewayConfigDiff): string {
  if (!changed) return 'nothing would change\n';
  const near = all.map((_line, at) =>
    all.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ how }) => how !== 'same'),
  );
  return all.flatMap(({ how, text }, at) => (near[at] ? [`${signs[how]} ${text}\n`] : [])).join('');
}

import { expect, test } from 'vitest';
import { heldDays, moveInRefusal, moveOutRefusal, overlaps } from './lease-days.ts';

const lease = (days: object = {}) => ({
  from: '2026-01-01',
  to: '2027-01-01',
  movedIn: null,
  movedOut: null,
  ...days,
});
const on = (date: string, more: object = {}) => ({
  ...{ date, today: '2026-02-01', locked: [], taken: false },
  ...more,
});

test.each([
  [{}, '2026-01-01', '2027-01-01'],
  [{ to: null }, '2026-01-01', '9999-12-31'],
  [{ movedIn: '2026-02-01' }, '2026-02-01', '2027-01-01'],
  [{ movedIn: '2026-01-01', movedOut: '2026-06-01' }, '2026-01-01', '2026-06-01'],
])('the spaces of %o are held from %s to %s', (days, from, to) => {
  expect(heldDays(lease(days))).toEqual({ from, to });
});

test('one lease may begin on the day that the other ends, or was left early', () => {
  expect(overlaps(lease(), lease({ from: '2027-01-01', to: null }))).toBe(false);
  expect(overlaps(lease(), lease({ from: '2026-12-31', to: null }))).toBe(true);
  expect(overlaps(lease({ movedOut: '2026-06-01' }), lease({ from: '2026-06-01' }))).toBe(false);
});

test.each([
  [{}, on('2026-01-01'), undefined],
  [{}, on('2025-12-31'), 'before_start'],
  [{}, on('2027-01-01'), 'after_end'],
  [{ to: null }, on('2030-01-01'), undefined],
  [{ movedIn: '2026-01-01' }, on('2026-01-02'), 'already_moved_in'],
  [{ movedOut: '2026-05-01' }, on('2026-06-01'), 'already_moved_out'],
  [{}, on('2026-01-01', { locked: ['a'] }), 'space_locked'],
  [{}, on('2026-01-01', { taken: true }), 'overlap'],
])('moving in, %o on %o: %s', (days, handover, why) => {
  expect(moveInRefusal(lease(days), handover)).toBe(why);
});

test.each([
  [{}, on('2026-01-01'), 'before_start'],
  [{}, on('2027-01-01'), undefined],
  [{}, on('2027-01-02'), 'after_end'],
  [{ movedIn: '2026-03-01' }, on('2026-03-01'), 'before_move_in'],
  [{ movedIn: '2026-03-01' }, on('2026-03-02'), undefined],
  [{}, on('2026-03-02', { today: '2025-12-31' }), 'before_move_in'],
  [{}, on('2026-03-02', { today: '2026-01-01' }), undefined],
  [{ movedIn: '2026-01-01' }, on('2026-03-02', { today: '2025-12-31' }), undefined],
  [{ movedOut: '2026-03-01' }, on('2026-04-01'), 'already_moved_out'],
  [{}, on('2026-03-01', { locked: ['a'] }), 'space_locked'],
])('moving out, %o on %o: %s', (days, handover, why) => {
  expect(moveOutRefusal(lease(days), handover)).toBe(why);
});

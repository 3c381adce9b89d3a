import { describe, expect, test } from 'vitest';
import { choose, type Candidate } from './dispatch.ts';
import {
  accept,
  cancel,
  dispatch,
  finish,
  isOverdue,
  type Order,
  orderNumber,
  photoRefusal,
  start,
  yearIn,
} from './domain.ts';

const now = new Date('2026-11-22T06:00:00Z');
const later = new Date('2026-11-22T06:15:00Z');
const order = (over: Partial<Order> = {}): Order => ({
  ...{ id: 'o', accountId: 'a', state: 'waiting', technicianId: null, acceptBy: null, escalatedAt: null },
  ...{ dispatchedAt: null, acceptedAt: null, startedAt: null, doneAt: null, note: null, version: 1 },
  ...over,
});
const dispatched = order({ state: 'dispatched', technicianId: 'lin', acceptBy: later, dispatchedAt: now });
const accepted = order({ state: 'accepted', technicianId: 'lin', acceptedAt: now });
const begun = order({ state: 'in_progress', technicianId: 'lin', startedAt: now });
const done = order({ state: 'done', technicianId: 'lin', doneAt: now });
const both = new Set(['before', 'after'] as const);

describe('steps', () => {
  test.each([
    [
      'dispatch of a waiting one',
      dispatch(order(), 'lin', now, 900_000),
      { state: 'dispatched', acceptBy: later },
    ],
    [
      'dispatch of one that another has begun',
      dispatch({ ...begun, escalatedAt: now }, 'mo', now, 900_000),
      { state: 'dispatched', technicianId: 'mo', startedAt: null, escalatedAt: null },
    ],
    ['accept of what was given', accept(dispatched, 'lin', now), { state: 'accepted', acceptBy: null }],
    ['accept of what nobody has', accept(order(), 'mo', now), { state: 'accepted', technicianId: 'mo' }],
    ['accept too late', accept({ ...dispatched, escalatedAt: later }, 'lin', later), { escalatedAt: null }],
    ['start', start(accepted, 'lin', now), { state: 'in_progress', startedAt: now }],
    [
      'finish',
      finish(begun, { personId: 'lin', now, photos: both, note: 'ok' }),
      { state: 'done', doneAt: now, note: 'ok' },
    ],
    ['cancel', cancel(dispatched, 'no', now), { state: 'cancelled', acceptBy: null, note: 'no' }],
  ])('%s', (_what, outcome, expected) => {
    expect(outcome).toMatchObject({ ok: true, order: expected });
  });

  test.each([
    ['dispatch of a done one', dispatch(done, 'lin', now, 1), 'closed'],
    ['accept by another', accept(dispatched, 'mo', now), 'not_yours'],
    ['accept twice', accept(accepted, 'lin', now), 'changed'],
    ['start before accepting', start(dispatched, 'lin', now), 'not_accepted'],
    ['start twice', start(begun, 'lin', now), 'changed'],
    ['start by another', start(accepted, 'mo', now), 'not_yours'],
    ['finish by another', finish(begun, { personId: 'mo', now, photos: both, note: null }), 'not_yours'],
    [
      'finish before starting',
      finish(accepted, { personId: 'lin', now, photos: both, note: null }),
      'not_started',
    ],
    [
      'finish with one photo',
      finish(begun, { personId: 'lin', now, photos: new Set(['after'] as const), note: null }),
      'photo_missing',
    ],
    ['finish twice', finish(done, { personId: 'lin', now, photos: both, note: null }), 'closed'],
    ['cancel of a done one', cancel(done, 'no', now), 'closed'],
  ])('refuse %s', (_what, outcome, why) => {
    expect(outcome).toEqual({ ok: false, why });
  });

  test.each([
    ['in time', dispatched, now, false],
    ['at the very moment', dispatched, later, true],
    ['told already', { ...dispatched, escalatedAt: later }, later, false],
    ['accepted', accepted, later, false],
  ])('overdue: %s', (_what, one, at, expected) => expect(isOverdue(one, at)).toBe(expected));

  test.each([
    ['an accepted one', accepted, 'lin', undefined],
    ['a begun one', begun, 'lin', undefined],
    ['another’s', begun, 'mo', 'not_yours'],
    ['one not accepted', dispatched, 'lin', 'not_accepted'],
    ['a done one', done, 'lin', 'closed'],
  ])('photos of %s', (_what, one, who, why) => expect(photoRefusal(one, who)).toBe(why));
});

test('numbers count in the year of the site', () => {
  expect(orderNumber(2026, 17)).toBe('2026-00017');
  expect(yearIn('Asia/Shanghai', new Date('2026-12-31T16:00:00Z'))).toBe(2027);
  expect(yearIn('America/New_York', new Date('2027-01-01T04:00:00Z'))).toBe(2026);
});

describe('choose', () => {
  const who = (id: string, over: Partial<Candidate> = {}): Candidate => ({
    ...{ id, name: id, skills: ['hvac'], areas: [], openOrders: 0 },
    ...over,
  });
  const wanted = { skill: 'hvac', buildingId: 'b', floorId: 'f' } as const;
  test.each([
    ['skill before all', [who('x', { skills: ['plumbing'] }), who('y', { openOrders: 9 })], 'y', 'fits'],
    [
      'area before load',
      [who('x', { areas: ['other'] }), who('y', { areas: ['b'], openOrders: 9 })],
      'y',
      'fits',
    ],
    ['load before narrowness', [who('x', { areas: ['f'], openOrders: 1 }), who('y')], 'y', 'fits'],
    [
      'narrowness when equal',
      [who('x'), who('y', { areas: ['b'] }), who('z', { areas: ['f'] })],
      'z',
      'fits',
    ],
    ['the list when all is equal', [who('x'), who('y')], 'x', 'fits'],
    [
      'from elsewhere when nobody works there',
      [who('x', { areas: ['c'], openOrders: 1 }), who('y', { areas: ['d'] })],
      'y',
      'elsewhere',
    ],
    ['nobody without the skill', [who('x', { skills: [] })], null, 'nobody'],
    ['nobody of none', [], null, 'nobody'],
  ])('%s', (_what, candidates, technicianId, how) => {
    expect(choose(candidates, wanted)).toMatchObject({ technicianId, reason: { how } });
  });
});

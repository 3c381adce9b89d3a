import type { Technician, WorkOrder } from '@parkline/contract';
import { expect, test } from 'vitest';
import { Board } from './board.svelte.ts';
import { MyOrders } from './my-orders.svelte.ts';
import { acceptTime, rankTechnicians, stepsOf } from './orders.ts';

const at = (time: string) => `2026-11-22T${time}:00.000Z`;
const order = (id: string, over: Partial<WorkOrder> = {}): WorkOrder => ({
  id,
  number: id,
  title: id,
  state: 'waiting',
  severity: 'critical',
  skill: 'hvac',
  faultId: null,
  fault: null,
  equipmentId: null,
  equipmentName: null,
  buildingId: 'b1',
  floorId: 'f1',
  place: '',
  technician: null,
  dispatchReason: null,
  acceptBy: null,
  escalatedAt: null,
  createdAt: at('10:00'),
  dispatchedAt: null,
  acceptedAt: null,
  startedAt: null,
  doneAt: null,
  note: null,
  photos: [],
  version: 1,
  ...over,
});
const dispatched = { state: 'dispatched', dispatchedAt: at('10:00'), acceptBy: at('10:15') } as const;

test.each([
  ['10:00', 0, 'calm'],
  ['10:11', 11 / 15, 'calm'],
  ['10:12', 0.8, 'soon'],
  ['10:15', 1, 'over'],
  ['10:40', 1, 'over'],
] as const)('at %s the time to accept is %d used and %s', (time, part, mood) =>
  expect(acceptTime(order('a', dispatched), Date.parse(at(time)))).toMatchObject({ part, mood }),
);

test('nobody has to accept what is not dispatched', () =>
  expect(acceptTime(order('a', { ...dispatched, state: 'accepted' }), 0)).toBeUndefined());

test('the board has escalations on top and every order once', async () => {
  const open = [
    order('late', { ...dispatched, escalatedAt: at('10:15') }),
    order('nobody', { escalatedAt: at('10:01') }),
    order('waiting'),
    order('young', { ...dispatched, createdAt: at('10:05') }),
    order('old', dispatched),
    // Somebody took it in the end: the supervisor need not look at it any more.
    order('taken', { state: 'accepted', escalatedAt: at('09:00') }),
  ];
  const board = new Board({
    orders: async () => open,
    orderPage: async () => ({
      items: [
        order('done 1', { state: 'done', doneAt: at('08:00') }),
        order('done 2', { state: 'done', doneAt: at('09:00') }),
      ],
      next: null,
    }),
  });
  await board.load();
  expect(board.escalated.map(({ id }) => id)).toEqual(['nobody', 'late']);
  expect(board.columns.map(({ state, orders }) => [state, orders.map(({ id }) => id)])).toEqual([
    ['waiting', ['waiting']],
    ['dispatched', ['old', 'young']],
    ['accepted', ['taken']],
    ['in_progress', []],
    ['done', ['done 2', 'done 1']],
  ]);
});

test('a technician sees what is due first, first', async () => {
  const mine = new MyOrders({
    orders: async () => [
      order('accepted', { state: 'accepted' }),
      order('later', { ...dispatched, acceptBy: at('10:30') }),
      order('working', { state: 'in_progress' }),
      order('soon', dispatched),
    ],
  });
  await mine.load();
  expect(mine.sorted.map(({ id }) => id)).toEqual(['soon', 'later', 'working', 'accepted']);
  expect(mine.toAccept).toBe(2);
});

const technician = (id: string, over: Partial<Technician> = {}): Technician => ({
  id,
  name: id,
  skills: ['hvac'],
  areas: [],
  openOrders: 0,
  ...over,
});

test('who knows the trade comes first, then who works there, then who has least to do', () => {
  const ranked = rankTechnicians(
    [
      technician('free stranger', { skills: ['plumbing'] }),
      technician('far', { areas: ['b2'] }),
      technician('busy', { openOrders: 3, areas: ['f1'] }),
      technician('best', { areas: ['b1'] }),
    ],
    order('a'),
  );
  expect(ranked.map(({ technician: { id } }) => id)).toEqual(['best', 'busy', 'far', 'free stranger']);
  expect(ranked[2]).toMatchObject({ hasSkill: true, isNear: false });
});

const shown = (over: Partial<WorkOrder>) => stepsOf(order('a', over)).map(({ state }) => state);
const before = { id: 'p1', kind: 'before', at: at('10:20') } as const;

test('only the first step that is not done is open', () => {
  expect(shown(dispatched)).toEqual(['open', 'later', 'later', 'later', 'later']);
  const started = { state: 'in_progress', acceptedAt: at('10:05'), startedAt: at('10:10') } as const;
  expect(shown(started)).toEqual(['done', 'done', 'open', 'later', 'later']);
  expect(shown({ ...started, photos: [before] })).toEqual(['done', 'done', 'done', 'open', 'later']);
});

test('a photo taken ahead does not skip the one before it', () =>
  expect(
    shown({
      state: 'in_progress',
      acceptedAt: at('10:05'),
      startedAt: at('10:10'),
      photos: [{ ...before, kind: 'after' }],
    }),
  ).toEqual(['done', 'done', 'open', 'done', 'later']));

test('a cancelled order has nothing left to do', () =>
  expect(shown({ state: 'cancelled', acceptedAt: at('10:05') })).toEqual([
    'done',
    'later',
    'later',
    'later',
    'later',
  ]));

import { expect, test } from 'vitest';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { createGapLedger } from './gaps.ts';
import { type Gap, OutboxError } from './outbox.ts';
import type { GatewayEvent } from '@parkline/contract';

function given(before: readonly (Gap & { id: number })[] = []) {
  const written = new Map<number, Gap>();
  const faults = rememberingFaults();
  const disk = { isFull: false, isBroken: false };
  const clock = { now: 1_000 };
  const told: GatewayEvent[] = [];
  const ledger = createGapLedger({
    now: () => clock.now,
    events: {
      add(event) {
        if (disk.isFull) throw new OutboxError('disk', 'full');
        told.push(event);
      },
    },
    outbox: {
      untoldGaps: () => [...before],
      saveGap(gap, id = written.size + 1) {
        if (disk.isFull) throw new OutboxError('disk', 'full');
        if (disk.isBroken) throw new OutboxError('corrupt', 'torn page');
        written.set(id, gap);
        return id;
      },
    },
    faults,
  });
  return { ledger, written, faults, disk, clock, told };
}

test('refusals of one sort in a row are one gap, from the first to the last sample', () => {
  const { ledger, written } = given();
  ledger.refuse('gauges', 'full', [20, 10]);
  ledger.refuse('gauges', 'full', [30]);
  expect([...written.values()]).toEqual([{ what: 'gauges', why: 'full', from: 10, to: 30, count: 3 }]);
  expect(ledger.refused()).toBe(3);
});

test('another sort, or a recovery in between, begins a new gap', () => {
  const { ledger, written, faults } = given();
  ledger.refuse('gauges', 'full', [10]);
  ledger.refuse('all', 'full', [20]);
  ledger.accepted();
  ledger.accepted();
  ledger.refuse('all', 'full', [40]);
  expect([...written.values()].map(({ what, from }) => [what, from])).toEqual([
    ['gauges', 10],
    ['all', 20],
    ['all', 40],
  ]);
  expect(faults.lines).toEqual([
    'fault outbox refuses samples full, gauges',
    'fault outbox refuses samples full, all',
    'over outbox takes samples again',
    'fault outbox refuses samples full, all',
  ]);
});

test('a disk that takes no gap gets it as soon as it can', () => {
  const { ledger, written, disk } = given();
  disk.isFull = true;
  ledger.refuse('all', 'disk', [10]);
  ledger.refuse('gauges', 'full', [20]);
  ledger.accepted();
  expect(written.size).toBe(0);
  disk.isFull = false;
  ledger.accepted();
  expect([...written.values()].map(({ from, count }) => [from, count])).toEqual([
    [10, 1],
    [20, 1],
  ]);
});

test('a damaged file is not the business of this account', () => {
  const { ledger, disk } = given();
  disk.isBroken = true;
  expect(() => {
    ledger.refuse('all', 'disk', [10]);
  }).toThrow('torn page');
});

test('a gap is told when it is over, and a long one in pieces while it lasts', () => {
  const { ledger, told, clock } = given();
  ledger.refuse('gauges', 'thinned', [10, 20]);
  expect(told).toEqual([]);
  clock.now += 600_000;
  ledger.refuse('gauges', 'thinned', [30]);
  ledger.accepted();
  expect(told).toMatchObject([
    { type: 'gap', at: 601_000, what: 'gauges', why: 'thinned', from: 10, to: 20, count: 2 },
    { type: 'gap', from: 30, to: 30, count: 1 },
  ]);
  expect(new Set(told.map(({ id }) => id)).size).toBe(2);
});

test('a gap that could not be told waits for its turn, also over a restart', () => {
  const { ledger, told, disk } = given([{ id: 7, what: 'all', why: 'disk', from: 1, to: 2, count: 3 }]);
  disk.isFull = true;
  ledger.refuse('all', 'disk', [10]);
  ledger.accepted();
  expect(told).toEqual([]);
  disk.isFull = false;
  ledger.accepted();
  expect(told).toMatchObject([
    { from: 1, count: 3 },
    { from: 10, count: 1 },
  ]);
  ledger.accepted();
  expect(told).toHaveLength(2);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { planImport } from './diff.ts';
import { createUuidV7 } from './ids.ts';
import { draft, type PointDraft } from './point.ts';
import { openPointStore, type PointStore } from './store.ts';

const open: PointStore[] = [];
const folders: string[] = [];
afterEach(() => {
  open.splice(0).forEach((store) => store.close());
  folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true }));
});

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-points-'));
  folders.push(folder);
  return join(folder, 'points.sqlite');
}

function openStore(path = newPath()): PointStore {
  let ids = 0;
  const store = openPointStore({ path, busyMs: 1_000, now: () => 1_000, createId: () => `id-${(ids += 1)}` });
  open.push(store);
  return store;
}

const point = (key: string, known: Partial<PointDraft> = {}): PointDraft =>
  draft({ key, name: key, ...known });

/** Imports points as a file of that source would. @returns its batch. */
function take(store: PointStore, points: PointDraft[], source = 's'): number | null {
  const found = points.map((each, at) => ({ row: at + 2, point: each }));
  const plan = planImport({ source, found, faults: [] }, store.pointsOf(source), source);
  const done = store.commit(plan, { file: 'f.csv', format: 'modbus' });
  return 'batch' in done ? done.batch : Number.NaN;
}

test('a plan says by row what is added, changed and unchanged, and which fields differ', () => {
  const existing = new Map([['a', point('a')], ['b', point('b')]]); // prettier-ignore
  const found = [
    { row: 2, point: point('a') },
    { row: 3, point: point('b', { unit: 'kW', scale: 0.1 }) },
    { row: 4, point: point('c') },
  ];
  expect(planImport({ source: 's', found, faults: [] }, existing, 's')).toMatchObject({
    add: 1,
    change: 1,
    unchanged: 1,
    changes: [
      { row: 2, what: 'unchanged', fields: [] },
      { row: 3, what: 'change', fields: ['unit', 'scale'] },
      { row: 4, what: 'add' },
    ],
  });
});

describe('the list', () => {
  test('is the same after a second import, which makes no batch', () => {
    const path = newPath();
    const store = openStore(path);
    expect(take(store, [point('a'), point('b')])).toBe(1);
    const before = store.points();
    expect(take(store, [point('a'), point('b')])).toBeNull();
    expect(store.points()).toEqual(before);
    expect(store.batches()).toMatchObject([{ id: 1, added: 2, changed: 0, file: 'f.csv', undoneAt: null }]);
    expect(openStore(path).points()).toEqual(before);
  });

  test('keeps equal keys of two sources apart', () => {
    const store = openStore();
    take(store, [point('a', { address: 'hr:1:u16' })], 'one');
    take(store, [point('a', { address: 'hr:2:u16' })], 'two');
    expect(store.points().map(({ source, point: { address } }) => [source, address])).toEqual([
      ['one', 'hr:1:u16'],
      ['two', 'hr:2:u16'],
    ]);
  });

  test('keeps the id of a point that changes', () => {
    const store = openStore();
    take(store, [point('a')]);
    take(store, [point('a', { unit: 'V' })]);
    expect(store.points()).toMatchObject([{ id: 'id-1', point: { unit: 'V' } }]);
  });

  test('refuses a plan that was made for another list', () => {
    const store = openStore();
    const found = [{ row: 2, point: point('a') }];
    const plan = planImport({ source: 's', found, faults: [] }, new Map(), 's');
    take(store, [point('a', { unit: 'V' })]);
    expect(store.commit(plan, { file: 'f', format: 'ede' })).toEqual({ why: 'changed_meanwhile' });
    expect(store.points()).toMatchObject([{ point: { unit: 'V' } }]);
  });
});

describe('undo', () => {
  test('puts back exactly what the batch found', () => {
    const store = openStore();
    take(store, [point('a'), point('b')]);
    const before = store.points();
    const batch = take(store, [point('a', { unit: 'V' }), point('c')])!;
    expect(store.undo(batch)).toEqual({ ok: true, removed: 1, restored: 1 });
    expect(store.points()).toEqual(before);
    expect(store.undo(batch)).toEqual({ ok: false, why: 'undone' });
    expect(store.undo(99)).toEqual({ ok: false, why: 'no_batch' });
  });

  test('waits for later batches on the same points, and only for those', () => {
    const store = openStore();
    const first = take(store, [point('a'), point('b')])!;
    const other = take(store, [point('z')])!;
    const second = take(store, [point('a', { unit: 'V' })])!;
    expect(store.undo(first)).toEqual({ ok: false, why: 'later', batches: [second], points: 1 });
    expect(store.points()).toHaveLength(3);
    expect(store.undo(other)).toMatchObject({ ok: true });
    expect(store.undo(second)).toMatchObject({ ok: true });
    expect(store.undo(first)).toMatchObject({ ok: true, removed: 2 });
    expect(store.points()).toEqual([]);
  });

  test('what was undone can be imported again', () => {
    const store = openStore();
    store.undo(take(store, [point('a')])!);
    expect(take(store, [point('a')])).toBe(2);
  });
});

test('a damaged file and one of a later program are refused by name, and stay as they are', () => {
  const damaged = newPath();
  writeFileSync(damaged, 'no database at all, and long enough to be looked at'.repeat(100));
  expect(() => openStore(damaged)).toThrow(expect.objectContaining({ code: 'corrupt' }));
  const newer = newPath();
  const db = new DatabaseSync(newer);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => openStore(newer)).toThrow(expect.objectContaining({ code: 'newer' }));
});

test('ids carry the time in front and are never the same', () => {
  const ids = new Set(Array.from({ length: 1_000 }, () => createUuidV7(0x0192_3456_789a)));
  expect(ids.size).toBe(1_000);
  for (const id of ids) expect(id).toMatch(/^01923456-789a-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

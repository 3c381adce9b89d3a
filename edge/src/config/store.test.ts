import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayEvent } from '@parkline/contract';
import { expect, test } from 'vitest';
import { type Disk, realDisk } from '../base/disk.ts';
import { scratch } from '../testing/scratch.ts';
import { type ConfigStore, hashOf, openConfigStore } from './store.ts';

const event = (n: number): GatewayEvent => ({
  ...{
    type: 'config',
    id: `018f0000-0000-7000-8000-00000000000${n}`,
    at: n,
    hash: hashOf(''),
    state: 'applied',
  },
  why: '',
});
const proposal = (yaml: string) => ({
  ...({ yaml, source: 'local', at: 2, required: ['a'], needsCloud: false, event: event(1) } as const),
});

/** A home with one version, `first`, in force. */
function given(path: string): ConfigStore {
  writeFileSync(join(path, 'gateway.yaml'), 'first');
  const store = openConfigStore(path, realDisk);
  store.adopt('first', 1);
  return store;
}
const inForce = (path: string): string => readFileSync(join(path, 'gateway.yaml'), 'utf8');

/** The real disk, until it has done `steps` things; `isAfter` dies right after the last, else right before the next. */
function dyingDisk(steps: number, isAfter: boolean): Disk {
  let left = steps;
  const step = (act: () => void): void => {
    if (left === 0) throw new Error('killed');
    left -= 1;
    act();
    if (left === 0 && isAfter) throw new Error('killed');
  };
  return {
    replace: (path, text) => {
      step(() => {
        realDisk.replace(path, text);
      });
    },
    remove: (path) => {
      step(() => {
        realDisk.remove(path);
      });
    },
  };
}

test('a version is proposed, put into force, kept, and all of it is there after a restart', () => {
  using home = scratch();
  const store = given(home.path);
  expect(store.propose(proposal('second'))).toBe(2);
  expect(inForce(home.path)).toBe('second');
  expect(store.state().trial).toMatchObject({ previous: 1, starts: 0, required: ['a'] });
  store.started();
  store.spent(7_000);
  store.keep(event(2));
  const again = openConfigStore(home.path, realDisk);
  expect(again.state()).toEqual(store.state());
  expect(again.state()).toMatchObject({ current: 2, trial: null, replacing: null });
  expect(again.state().untold.map(({ id }) => id.slice(-1))).toEqual(['1', '2']);
  expect(again.state().history.map(({ n, state }) => [n, state])).toEqual([
    [1, 'kept'],
    [2, 'kept'],
  ]);
  expect(readdirSync(join(home.path, 'config')).toSorted()).toEqual(['1.yaml', '2.yaml', 'state.json']);
});

test('a rolled back version leaves its text and its reason, and the one before is in force', () => {
  using home = scratch();
  const store = given(home.path);
  store.propose(proposal('second'));
  expect(store.rollBack('silence', event(2))).toBe(1);
  expect(inForce(home.path)).toBe('first');
  expect(store.text(2)).toBe('second');
  expect(store.state().history.at(-1)).toMatchObject({ n: 2, state: 'rolled-back', why: 'silence' });
});

test('a version that comes while another is on trial goes back to the last one that was good', () => {
  using home = scratch();
  const store = given(home.path);
  store.propose(proposal('second'));
  store.propose(proposal('third'));
  expect(store.rollBack('silence', event(3))).toBe(1);
  expect(store.state().history.map(({ state }) => state)).toEqual(['kept', 'rolled-back', 'rolled-back']);
});

test('a refused text changes nothing that is in force', () => {
  using home = scratch();
  const store = given(home.path);
  store.refuse({ yaml: 'bad', source: 'cloud', at: 3, offerAt: 9, why: 'no', event: event(1) });
  expect(inForce(home.path)).toBe('first');
  expect(store.state()).toMatchObject({ current: 1, trial: null, offerAt: 9 });
});

test('events wait until they are told, and only those go', () => {
  using home = scratch();
  const store = given(home.path);
  store.confirm(1, event(1));
  store.confirm(2, event(2));
  store.told(new Set([event(1).id]));
  expect(openConfigStore(home.path, realDisk).state().untold).toEqual([event(2)]);
});

test('only the last twenty texts are kept, and the one in force', () => {
  using home = scratch();
  const store = given(home.path);
  for (let n = 2; n <= 30; n += 1)
    store.refuse({ yaml: `text ${n}`, source: 'local', at: n, why: 'no', event: event(1) });
  expect(store.text(1)).toBe('first');
  expect(() => store.text(10)).toThrow('version 10 is not kept');
  expect(store.text(11)).toBe('text 11');
  expect(store.state().history).toHaveLength(30);
});

test.each(['propose', 'rollBack'] as const)('a kill at any step of %s leaves the old or the new', (what) => {
  let kills = 0;
  for (const isAfter of [false, true])
    for (let steps = isAfter ? 1 : 0; steps < 10; steps += 1) {
      using home = scratch();
      const before = given(home.path);
      if (what === 'rollBack') before.propose(proposal('second'));
      const dying = openConfigStore(home.path, dyingDisk(steps, isAfter));
      let isKilled = false;
      try {
        if (what === 'propose') dying.propose(proposal('second'));
        else dying.rollBack('silence', event(2));
      } catch (error) {
        expect((error as Error).message).toBe('killed');
        isKilled = true;
        kills += 1;
      }
      const store = openConfigStore(home.path, realDisk);
      store.recover();
      const { current, replacing, trial } = store.state();
      expect(replacing).toBeNull();
      expect(inForce(home.path)).toBe(store.text(current));
      expect(trial !== null).toBe(current === 2);
      // What was begun again comes to its end.
      if (what === 'propose' && current === 1) store.propose(proposal('second'));
      if (what === 'rollBack' && current === 2) store.rollBack('silence', event(2));
      expect(inForce(home.path)).toBe(what === 'propose' ? 'second' : 'first');
      if (!isKilled) expect(store.state().untold).toHaveLength(what === 'propose' ? 1 : 2);
    }
  expect(kills).toBeGreaterThanOrEqual(6);
});

test('a gateway.yaml that was edited after a kill is not overwritten', () => {
  using home = scratch();
  given(home.path);
  const dying = openConfigStore(home.path, dyingDisk(2, false));
  expect(() => dying.propose(proposal('second'))).toThrow('killed');
  writeFileSync(join(home.path, 'gateway.yaml'), 'by hand');
  const store = openConfigStore(home.path, realDisk);
  store.recover();
  expect(inForce(home.path)).toBe('by hand');
});

test('a state file that nobody can read is a fault that says what to do', () => {
  using home = scratch();
  given(home.path);
  writeFileSync(join(home.path, 'config/state.json'), '{"current":');
  expect(() => openConfigStore(home.path, realDisk)).toThrow('move it aside');
  writeFileSync(join(home.path, 'config/state.json'), '{"current":1}');
  expect(() => openConfigStore(home.path, realDisk)).toThrow('is not what this program wrote');
});

test('the inbox is empty once it was looked at', () => {
  using home = scratch();
  const store = given(home.path);
  expect(store.inbox()).toBeUndefined();
  writeFileSync(join(home.path, 'config/inbox.yaml'), 'wish');
  expect(store.inbox()).toBe('wish');
  store.clearInbox();
  store.clearInbox();
  expect(existsSync(join(home.path, 'config/inbox.yaml'))).toBe(false);
});

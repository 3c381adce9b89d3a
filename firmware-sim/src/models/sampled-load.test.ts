import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTrouble, type Span, type TroubleKind, type Troubles } from '../troubles.ts';
import { createSampledLoads } from './sampled-load.ts';
import { ROUND_MS } from './site-clock.ts';
import { at, clock, demo, origin, play } from './testing.ts';

const HOUR_MS = 3_600_000;

/** Troubles that a test begins and ends. */
function troubled(): { troubles: Troubles; spans: Map<TroubleKind, Span[]> } {
  const spans = new Map<TroubleKind, Span[]>([
    ['fan-fails', []],
    ['valve-jams', []],
  ]);
  const troubles: Troubles = (device, kind) =>
    createTrouble(() => (device === 'ahu-a-1' || kind === 'valve-jams' ? (spans.get(kind) ?? []) : []));
  return { troubles, spans };
}

test('energy is the integral of power, over the end of the round, too', () => {
  const power = (t: number): number => 5 + 3 * Math.sin((2 * Math.PI * (t - origin)) / (24 * HOUR_MS));
  const load = createSampledLoads(new Map([['m', { actual: power, healthy: power }]]), clock, () => []).get(
    'm',
  )!;
  for (const from of [origin, at('2026-11-22 03:00'), origin + ROUND_MS - 12 * HOUR_MS]) {
    const used = load.energy(from + 24 * HOUR_MS) - load.energy(from);
    expect(used).toBeCloseTo(120, 2);
    const slope = ((load.energy(from + 60_000) - load.energy(from)) * HOUR_MS) / 60_000;
    expect(slope).toBeCloseTo(power(from + 30_000), 1);
  }
});

test('the meters of the demo park feed what it has: fans, plant and elevators draw', () => {
  const devices = play();
  const metered = demo.meters.flatMap(({ load }) => ('sum' in load ? [] : (load.equipment ?? [])));
  expect(metered.sort()).toEqual([
    ...['ahu-a-1', 'ahu-b-1', 'chiller-a-1', 'lift-a-1', 'lift-a-2', 'lift-b-1', 'lift-b-2'],
  ]);
  const [from, to] = [at('2026-11-23 09:00'), at('2026-11-23 10:00')];
  for (const key of metered) {
    const load = devices.get(key)!.load!;
    expect(load.energy(to) - load.energy(from)).toBeGreaterThan(0.05);
  }
});

test('a failed fan saves its own power and its coil’s, and the register runs on from where it was', () => {
  const { troubles, spans } = troubled();
  const [healthy, sick] = [play(), play(troubles)];
  const used = (devices: typeof sick, key: string, from: number, to: number): number =>
    devices.get(key)!.load!.energy(to) - devices.get(key)!.load!.energy(from);
  const [begun, over] = [at('2026-07-22 13:00'), at('2026-07-22 15:00')];
  const before = sick.get('ahu-a-1')!.load!.energy(begun);
  spans.get('fan-fails')!.push([begun, over]);
  expect(sick.get('ahu-a-1')!.load!.energy(begun)).toBe(before);
  expect(used(sick, 'ahu-a-1', begun + 60_000, over)).toBeLessThan(
    0.05 * used(healthy, 'ahu-a-1', begun, over),
  );
  expect(used(sick, 'chiller-a-1', begun, over)).toBeLessThan(
    0.85 * used(healthy, 'chiller-a-1', begun, over),
  );
  const late = at('2026-07-24 09:00');
  expect(used(sick, 'ahu-a-1', late, late + HOUR_MS)).toBeCloseTo(
    used(healthy, 'ahu-a-1', late, late + HOUR_MS),
    2,
  );
});

test('whatever begins and ends, the register behind the air conditioning’s meter never falls', () => {
  const start = at('2026-07-22 10:00');
  const switches = fc.array(
    fc.tuple(fc.constantFrom('fan-fails' as const, 'valve-jams' as const), fc.nat(900)),
    {
      minLength: 1,
      maxLength: 8,
    },
  );
  const { troubles, spans } = troubled();
  const devices = play(troubles);
  fc.assert(
    fc.property(switches, (events) => {
      for (const list of spans.values()) list.length = 0;
      let last = -Infinity;
      let t = start;
      const check = (): void => {
        const register = ['ahu-a-1', 'chiller-a-1'].reduce(
          (sum, key) => sum + devices.get(key)!.load!.energy(t),
          0,
        );
        expect(register).toBeGreaterThanOrEqual(last);
        last = register;
      };
      for (const [kind, seconds] of events) {
        for (const end = t + seconds * 1000; t < end; t += 7_300) check();
        check();
        const list = spans.get(kind)!;
        const open = list.at(-1);
        if (open?.[1] === Infinity) list[list.length - 1] = [open[0], t];
        else list.push([t, Infinity]);
        check();
      }
    }),
    { numRuns: 10 },
  );
});

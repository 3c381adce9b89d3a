import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFaults, type Faults } from './faults.ts';
import { createMeters, playEquipment } from './meters.ts';
import { readHourlyData } from './models/hourly-data.ts';
import { at, demo, instants } from './models/testing.ts';
import { createScenarioBook } from './scenario-book.ts';
import { createScenarioPlayer, type ScenarioPlayer, type SetPresence } from './scenario-player.ts';
import { parseScenario, readScenarios } from './scenarios.ts';
import { shown } from './shown.ts';

const MINUTE_MS = 60_000;
const data = readHourlyData();

/** The demo park at an instant that a test sets, as its devices would show it. */
interface Stage {
  now: number;
  readonly player: ScenarioPlayer;
  readonly faults: Faults;
  /** Which devices left and joined their buses, in order. */
  readonly moved: readonly string[];
  read(device: string, quantity: string, t: number): number;
  register(meter: string, t: number): number;
}

function createStage(): Stage {
  const faults = createFaults();
  const book = createScenarioBook({ scenarios: readScenarios() });
  const played = playEquipment(demo, 1, book.troubles);
  const meters = createMeters(demo, data, 1, played);
  const devices = new Map(
    [...[...played].map(([key, { quantities }]) => [key, quantities] as const), ...meters].map(
      ([key, quantities]) => [key, shown(key, quantities, book)],
    ),
  );
  const moved: string[] = [];
  const setPresence: SetPresence = async (bus, device, isThere) =>
    void moved.push(`${device} ${isThere ? 'joins' : 'leaves'} ${bus}`);
  const stage: Stage = {
    now: 0,
    faults,
    moved,
    player: createScenarioPlayer({ park: demo, book, faults, setPresence, now: () => stage.now }),
    read: (device, quantity, t) => devices.get(device)!.get(quantity)!(t),
    register: (meter, t) => devices.get(meter)!.get('active_energy_import')!(t),
  };
  return stage;
}

/** What an engineer would call wrong, by kind of equipment. `read` reads a quantity of the device at `t`, or `ago` ms before. */
type Look = (read: (quantity: string, ago?: number) => number) => boolean;
const wrongs: Readonly<Record<string, Readonly<Record<string, Look>>>> = {
  ahu: {
    'ahu-supply-fan-fails': (read) => read('supply_fan_command') > read('supply_fan_status'),
    'ahu-cooling-valve-stuck': (read) =>
      [0, 20_000, 40_000, 60_000].every(
        (ago) => Math.abs(read('cooling_valve_command', ago) - read('cooling_valve_position', ago)) > 15,
      ),
    'supply-air-off': (read) =>
      read('supply_fan_status') === 1 &&
      Math.abs(read('supply_air_temperature') - read('supply_air_temperature_setpoint')) > 2,
  },
  vav: {
    'zone-off': (read) => Math.abs(read('zone_air_temperature') - read('zone_air_temperature_setpoint')) > 2,
    'sensor-frozen': (read) => {
      const shownThen = instants(0, 20, 30_000).map((ago) => read('zone_air_temperature', ago).toFixed(2));
      return new Set(shownThen).size === 1;
    },
  },
  chiller: { 'chiller-alarm': (read) => read('general_alarm') === 1 || read('chiller_status') === 0 },
  elevator: { 'elevator-between-floors': (read) => read('between_floors') === 1 || read('in_service') === 0 },
  gate: { 'gate-forced': (read) => read('forced_open') === 1 },
  'leak-sensor': { 'water-leak': (read) => read('leak') === 1 || read('battery_level') < 20 },
};

/** `<what> @ <device>` for everything wrong at `t`. */
const findings = ({ read }: Stage, t: number): string[] =>
  demo.equipment.flatMap(({ key, kind }) =>
    Object.entries(wrongs[kind] ?? {})
      .filter(([, isWrong]) => isWrong((quantity, ago = 0) => read(key, quantity, t - ago)))
      .map(([what]) => `${what} @ ${key}`),
  );

let stage: Stage;
beforeEach(() => {
  stage = createStage();
});
afterEach(async () => {
  for (const { scenario } of stage.player.list()) await stage.player.set(scenario.name, false);
});

test.each([
  ['autumn, Sunday and Monday', '2026-11-22 00:00'],
  ['the height of summer', '2026-07-23 00:00'],
  ['the depth of winter', '2026-01-16 00:00'],
])('two ordinary days look sound every other minute: %s', (_season, from) => {
  for (const t of instants(at(from), 24 * 60, 2 * MINUTE_MS))
    expect([t, findings(stage, t)]).toEqual([t, []]);
});

describe('each scenario brings what it announces, at any hour, and nothing else in its first ten minutes', () => {
  const visible = readScenarios().filter(({ effects }) =>
    effects.every(({ kind }) => !['silent', 'offline', 'replaced'].includes(kind)),
  );
  const cases = visible.flatMap((scenario) =>
    ['2026-11-23 04:12', '2026-11-23 14:31', '2026-07-22 15:02'].map(
      (local) => [scenario.name, local, scenario] as const,
    ),
  );
  test.each(cases)('%s at %s', async (name, local, { expects }) => {
    const begun = at(local);
    stage.now = begun;
    expect(await stage.player.set(name, true)).toMatchObject({ changed: true, since: begun });
    const soon = name === 'sensor-frozen' ? 10 : 3;
    expect(findings(stage, begun + soon * MINUTE_MS)).toEqual([`${expects.rule} @ ${expects.device}`]);
    expect(findings(stage, begun + 10 * MINUTE_MS)).toEqual([`${expects.rule} @ ${expects.device}`]);
    stage.now = begun + 10 * MINUTE_MS;
    expect(await stage.player.set(name, false)).toMatchObject({ changed: true, since: undefined });
    expect(findings(stage, stage.now + 12 * MINUTE_MS)).toEqual([]);
  });
});

test('without its fan a unit moves no air, and its zones drift away within hours and come back', async () => {
  const begun = at('2026-07-22 12:00');
  stage.now = begun;
  await stage.player.set('ahu-1-supply-fan-fails', true);
  const { read } = stage;
  const later = begun + 2 * MINUTE_MS;
  for (const quantity of ['supply_fan_speed', 'supply_fan_power', 'supply_air_pressure', 'supply_fan_status'])
    expect([quantity, read('ahu-a-1', quantity, later)]).toEqual([quantity, 0]);
  expect(read('ahu-a-1', 'supply_fan_command', later)).toBe(1);
  for (const zone of ['vav-a-1', 'vav-a-2', 'vav-a-3', 'vav-a-4']) {
    expect(read(zone, 'supply_air_flow', later)).toBe(0);
    expect(read(zone, 'damper_command', begun + 15 * MINUTE_MS)).toBeGreaterThan(98);
    const warmed = (t: number): number =>
      read(zone, 'zone_air_temperature', t) - read(zone, 'zone_air_temperature', begun);
    expect(warmed(begun + 5 * MINUTE_MS)).toBeLessThan(0.6);
    expect(warmed(begun + 120 * MINUTE_MS)).toBeGreaterThan(1.5);
  }
  expect(read('vav-b-1', 'supply_air_flow', later)).toBeGreaterThan(100);
  stage.now = begun + 120 * MINUTE_MS;
  await stage.player.set('ahu-1-supply-fan-fails', false);
  expect(read('ahu-a-1', 'supply_fan_status', stage.now)).toBe(1);
  expect(findings(stage, stage.now + 240 * MINUTE_MS)).toEqual([]);
});

test('a valve that hangs open stays exactly there while the heating coil fights it', async () => {
  const begun = at('2026-11-23 14:00');
  stage.now = begun;
  await stage.player.set('valve-stuck', true);
  const positions = instants(begun + 2 * MINUTE_MS, 60, MINUTE_MS).map((t) =>
    stage.read('ahu-b-1', 'cooling_valve_position', t).toFixed(1),
  );
  expect(new Set(positions)).toEqual(new Set(['100.0']));
  expect(stage.read('ahu-b-1', 'heating_valve_command', begun + 10 * MINUTE_MS)).toBeGreaterThan(3);
  expect(stage.read('chiller-a-1', 'cooling_power', begun + 10 * MINUTE_MS)).toBeGreaterThan(
    stage.read('chiller-a-1', 'cooling_power', begun) + 3,
  );
});

test('a frozen sensor shows one value to the last digit; its zone goes on', async () => {
  const begun = at('2026-11-23 08:00');
  stage.now = begun;
  await stage.player.set('sensor-frozen', true);
  const values = instants(begun, 90, MINUTE_MS).map((t) => stage.read('vav-a-2', 'zone_air_temperature', t));
  expect(new Set(values).size).toBe(1);
  const flows = instants(begun, 90, MINUTE_MS).map((t) => stage.read('vav-a-2', 'supply_air_flow', t));
  expect(new Set(flows).size).toBe(90);
});

test('a silent meter answers nothing until it is cleared', async () => {
  const target = { bus: 'b-panel', unit: 3, addr: 0, count: 2 };
  expect(stage.faults.strike(target)).toBeUndefined();
  await stage.player.set('meter-silent', true);
  expect(stage.faults.strike(target)).toEqual({ kind: 'silence' });
  await stage.player.resume();
  await stage.player.set('meter-silent', false);
  expect(stage.faults.strike(target)).toBeUndefined();
});

test('a device off line is taken from its bus, again after a restart of the bus, and put back', async () => {
  await stage.player.set('device-offline', true);
  await stage.player.resume();
  await stage.player.set('device-offline', false);
  expect(stage.moved).toEqual([
    'vav-b-4 leaves b-bacnet',
    'vav-b-4 leaves b-bacnet',
    'vav-b-4 joins b-bacnet',
  ]);
});

test('a replaced meter counts on from its new register, also when the scenario is cleared, and can be replaced again', async () => {
  const begun = at('2026-11-23 10:00');
  const [hour, before] = [60 * MINUTE_MS, stage.register('b-f1', begun)];
  const used = stage.register('b-f1', begun + hour) - before;
  stage.now = begun;
  await stage.player.set('meter-replaced', true);
  expect(before).toBeGreaterThan(1_000);
  expect(stage.register('b-f1', begun)).toBe(12.4);
  expect(stage.register('b-f1', begun - 1)).toBeCloseTo(before, 3);
  expect(stage.register('b-f1', begun + hour)).toBeCloseTo(12.4 + used, 6);
  stage.now = begun + hour;
  await stage.player.set('meter-replaced', false);
  expect(stage.register('b-f1', begun + hour)).toBeCloseTo(12.4 + used, 6);
  stage.now = begun + 2 * hour;
  await stage.player.set('meter-replaced', true);
  expect(stage.register('b-f1', stage.now)).toBe(12.4);
});

test('every scenario expects a fault for which the cloud has a rule', async () => {
  const rules = join(import.meta.dirname, '../../cloud/src/faults/rules'); // Read as data, not as code.
  const files = readdirSync(rules);
  for (const { expects } of readScenarios()) expect(files).toContain(`${expects.rule}.yaml`);
});

test('every scenario names devices of the demo park, and no two expect the same fault', async () => {
  const keys = new Set([...demo.meters, ...demo.equipment].map(({ key }) => key));
  const all = readScenarios();
  expect(all.length).toBeGreaterThanOrEqual(9);
  for (const { effects, expects } of all)
    for (const device of [expects.device, ...effects.map((effect) => effect.device)])
      expect(keys).toContain(device);
  expect(new Set(all.map(({ expects }) => expects.rule)).size).toBe(all.length);
});

const good = `{ name: s, title: { en: T, zh: 题 }, happens: { en: H, zh: 况 }, expects: { rule: r, device: d }, effects: [{ kind: silent, device: d }] }`;

test.each([
  ['another name', ['name: s', 'name: x'], 'name is x, its file says s'],
  ['one language', ['zh: 题', 'zw: 题'], 'title must be there in en and zh'],
  ['no expected fault', ['rule: r', 'role: r'], 'expects must name a rule and a device'],
  ['no effects', ['{ kind: silent, device: d }', ''], 'there are no effects'],
  ['an effect on nobody', ['kind: silent, device: d', 'kind: silent'], 'of kind silent names no device'],
  ['an unknown effect', ['kind: silent', 'kind: loud'], 'd: no effect loud'],
  ['an unknown trouble', ['kind: silent', 'kind: trouble, trouble: rust'], 'd: no trouble rust'],
  ['a frozen nothing', ['kind: silent', 'kind: frozen'], 'd: frozen without a quantity'],
  ['an empty show', ['kind: silent', 'kind: shows'], 'd: shows nothing'],
  [
    'a meter without register',
    ['kind: silent', 'kind: replaced, quantity: q'],
    'without quantity or register',
  ],
] as const)('a scenario with %s is refused', (_what, [from, to], why) => {
  expect(parseScenario(good, 's').name).toBe('s');
  expect(() => parseScenario(good.replace(from, to), 's')).toThrow(why);
});

test('a quantity that the device does not show is refused', async () => {
  const scenarios = [parseScenario(good.replace('kind: silent', 'kind: frozen, quantity: q'), 's')];
  expect(() => shown('d', new Map(), createScenarioBook({ scenarios }))).toThrow('d: it has no quantity q');
});

import { expect, test } from 'vitest';
import { listTemplates, loadTemplate, loadTemplates, parseTemplate } from './load.ts';

/** Every template, read once. */
const shipped = loadTemplates();

const good = `
id: three-phase-meter/acme-one
kind: three-phase-meter
vendor: Acme
model: One
name: { en: Acme One, zh: 一号 }
source: Acme manual 1
protocol: modbus
params: {}
points:
  - { key: active_energy_import, name: { en: Energy, zh: 电能 }, unit: kWh, kind: register, address: 'hr:0:u32', scale: 1,
      resolution: 0.01, decimals: 2, deadband: 0, pollMs: 60000, heartbeatMs: 300000, billing: true, brick: X, tags: [] }
`;

test('every shipped template is sound and bilingual, and every meter has one billing register', () => {
  const templates = shipped;
  expect(templates.size).toBeGreaterThanOrEqual(8);
  for (const template of templates.values()) {
    const billing = template.points.filter((point) => point.billing);
    expect([template.id, billing.length]).toEqual([template.id, template.kind.endsWith('-meter') ? 1 : 0]);
    expect(template.name.zh).toMatch(/[\u4e00-\u9fff]/);
    for (const point of template.points) expect(point.name.zh).toMatch(/[\u4e00-\u9fff]/);
    for (const { states = {} } of template.points)
      for (const { zh } of Object.values(states)) expect(zh).toMatch(/[\u4e00-\u9fff]/);
  }
});

test('there is a template for each kind of device a park has, and every point has its class and tags', () => {
  const templates = [...shipped.values()];
  const kinds = new Map<string, number>();
  for (const { kind } of templates) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  for (const kind of ['ahu', 'vav', 'fcu', 'chiller', 'boiler', 'water-meter', 'heat-meter'])
    expect([kind, kinds.has(kind)]).toEqual([kind, true]);
  for (const kind of ['elevator', 'gate', 'leak-sensor'])
    expect([kind, kinds.has(kind)]).toEqual([kind, true]);
  expect(kinds.get('three-phase-meter')).toBeGreaterThanOrEqual(8);
  for (const { id, points } of templates)
    for (const { key, brick, tags } of points) {
      expect([id, key, /^([A-Z][A-Za-z0-9]*)(_[A-Z0-9][A-Za-z0-9]*)*$/.test(brick)]).toEqual([id, key, true]);
      expect([id, key, tags.length > 0 && tags.every((tag) => /^[a-z][a-z0-9-]*$/.test(tag))]).toEqual([
        id,
        key,
        true,
      ]);
    }
});

test('what may be written are setpoints and commands, within limits, with the defaults filled in', () => {
  const written = [...shipped.values()].flatMap(({ id, kind, points }) =>
    points.flatMap(({ key, write }) => (write ? [{ id, kind, key, write }] : [])),
  );
  for (const kind of ['ahu', 'vav', 'fcu', 'chiller', 'boiler', 'gate', 'elevator'])
    expect([kind, written.some((point) => point.kind === kind)]).toEqual([kind, true]);
  for (const { id, kind, key, write } of written) {
    expect([id, key, /setpoint|command|speed|occupied|barrier|in_service|valve/.test(key)]).toEqual([
      id,
      key,
      true,
    ]);
    const isSafety = ['gate', 'elevator', 'water-meter'].includes(kind);
    expect([id, key, write.safety]).toEqual([id, key, isSafety]);
    expect(write.priority).toBeGreaterThanOrEqual(8);
    expect(write.holdS).toBeGreaterThan(0);
  }
});

test('a key has the same unit, kind and name in every template', () => {
  const seen = new Map<string, string>();
  for (const { id, points } of shipped.values()) {
    for (const { key, unit, kind, name } of points) {
      const meaning = JSON.stringify({ unit, kind, name });
      expect([id, key, seen.get(key) ?? meaning]).toEqual([id, key, meaning]);
      seen.set(key, meaning);
    }
  }
});

test('an unknown template is refused with the list of those there are', () => {
  expect(() => loadTemplate('three-phase-meter/none')).toThrow(
    /no template .*; there are .*schneider-iem3250/,
  );
  expect(() => loadTemplate('../package')).toThrow(/no template/);
  expect(listTemplates()).toContain('heat-meter/kamstrup-multical');
});

test('a sound text becomes a template', () => {
  expect(parseTemplate(good, 'three-phase-meter/acme-one').points).toHaveLength(1);
});

test.each([
  ['a missing field', good.replace('vendor: Acme\n', ''), /vendor/],
  ['an unknown field', good.replace('params: {}', 'params: {}\ncolour: red'), /colour|additional/],
  ['a name cut in two by a comma', good.replace('en: Energy,', 'en: Energy, total,'), /points\/0\/name/],
  ['a unit nobody knows', good.replace('unit: kWh', 'unit: parsec'), /points\/0\/unit/],
  ['an id that is not its path', good.replace('acme-one', 'acme-two'), /its path says/],
  ['a kind that is not its folder', good.replace('kind: three', 'kind: two'), /its folder says/],
  ['a register with a deadband', good.replace('deadband: 0', 'deadband: 1'), /no deadband/],
  [
    'a register with states',
    good.replace('brick: X', "states: { '0': { en: a, zh: 甲 } }, brick: X"),
    /only a state/,
  ],
  [
    'a state that is no number',
    good.replace('brick: X', 'states: { on: { en: a, zh: 甲 } }, brick: X'),
    /states/,
  ],
  ['a gauge with a resolution', good.replace('kind: register', 'kind: gauge'), /only a register/],
  [
    'a register with an offset',
    good.replace('brick: X', 'offset: 1, brick: X'),
    /only a gauge has an offset/,
  ],
  ['limits upside down', good.replace('brick: X', 'limits: { min: 2, max: 1 }, brick: X'), /limits.min 2/],
  ['a scale that hides everything', good.replace('scale: 1', 'scale: 0'), /scale 0/],
  [
    'a register to be written',
    good.replace('brick: X', 'write: { min: 0, max: 1 }, brick: X'),
    /register cannot/,
  ],
] as const)('refuses %s', (_what, text, why) => {
  expect(() => parseTemplate(text, 'three-phase-meter/acme-one')).toThrow(why);
});

const gaugeText = good
  .replace('kind: register', 'kind: gauge')
  .replace('resolution: 0.01', 'resolution: 1')
  .replace('billing: true, ', '');
const withWrite = (write: string): string => gaugeText.replace('brick: X', `write: ${write}, brick: X`);
const withState = (write: string): string =>
  withWrite(write)
    .replace('kind: gauge', 'kind: state')
    .replace('brick: X', "states: { '0': { en: a, zh: 甲 } }, brick: X");

test('write limits get the defaults of the contract', () => {
  const [point] = parseTemplate(withWrite('{ min: 16, max: 30 }'), 'three-phase-meter/acme-one').points;
  expect(point?.write).toEqual({
    ...{ min: 16, max: 30, perMinute: 6, priority: 16, holdS: 3_600, safety: false },
  });
});

test.each([
  ['upside down', withWrite('{ min: 3, max: 2 }'), /write.min 3 is above max 2/],
  ['of a priority that protects life', withWrite('{ min: 0, max: 1, priority: 5 }'), /priority/],
  ['that no step reaches', withWrite('{ min: 0, max: 1, step: 0.3 }'), /no whole number of steps/],
  ['with a release outside', withWrite('{ min: 16, max: 30, release: 5 }'), /release 5/],
  ['with a release between steps', withWrite('{ min: 0, max: 4, step: 2, release: 1 }'), /release 1/],
  ['of a state in broken steps', withState('{ min: 0, max: 1 }'), /say step: 1/],
  [
    'of a state without names',
    withWrite('{ min: 0, max: 1, step: 1 }').replace('kind: gauge', 'kind: state'),
    /needs names/,
  ],
])('refuses write limits %s', (_what, text, why) => {
  expect(() => parseTemplate(text, 'three-phase-meter/acme-one')).toThrow(why);
});

test.each(['gate', 'elevator'])('whatever can be written of a %s needs two people', (kind) => {
  const text = (safety: boolean): string =>
    withState(`{ min: 0, max: 1, step: 1, safety: ${safety} }`).replaceAll('three-phase-meter', kind);
  expect(() => parseTemplate(text(false), `${kind}/acme-one`)).toThrow(/say safety: true/);
  expect(parseTemplate(text(true), `${kind}/acme-one`).points[0]?.write?.safety).toBe(true);
});

test('refuses a key that comes twice', () => {
  const line = good.slice(good.indexOf('  - {'));
  expect(() => parseTemplate(good + line, 'three-phase-meter/acme-one')).toThrow(/there twice/);
});

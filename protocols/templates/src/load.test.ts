import { expect, test } from 'vitest';
import { listTemplates, loadTemplate, loadTemplates, parseTemplate } from './load.ts';

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
  const templates = loadTemplates();
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

test('a key has the same unit, kind and name in every template', () => {
  const seen = new Map<string, string>();
  for (const { id, points } of loadTemplates().values()) {
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
] as const)('refuses %s', (_what, text, why) => {
  expect(() => parseTemplate(text, 'three-phase-meter/acme-one')).toThrow(why);
});

test('refuses a key that comes twice', () => {
  const line = good.slice(good.indexOf('  - {'));
  expect(() => parseTemplate(good + line, 'three-phase-meter/acme-one')).toThrow(/there twice/);
});

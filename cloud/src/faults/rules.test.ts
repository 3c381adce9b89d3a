import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTemplates } from '@parkline/templates';
import { afterEach, expect, test } from 'vitest';
import { sentence } from './present.ts';
import { loadRules, looksAt, parseRule, pointKeys } from './rules.ts';

const rules = loadRules();
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

test('every shipped rule is sound, bilingual, and says its sentence in both languages', () => {
  expect(rules.size).toBeGreaterThanOrEqual(13);
  for (const rule of rules.values()) {
    for (const text of [rule.title, rule.advice, rule.detail]) expect(text.zh).toMatch(/[\u4e00-\u9fff]/);
    const values = Object.fromEntries(
      [...pointKeys(rule), 'before', 'after', 'fill', 'hoursLeft', 'off'].map((key) => [
        key,
        { value: 1.26, unit: '°C', decimals: 1 },
      ]),
    );
    const evidence = { values, forS: 600, limit: 4, lastOkAt: null, heardAt: '2026-11-22T06:00:00Z' };
    for (const language of ['en', 'zh-CN'] as const) {
      const words = sentence(rule, evidence, { language, timezone: 'Asia/Shanghai' });
      expect([rule.key, words]).toEqual([rule.key, expect.not.stringMatching(/[{}—]/)]);
    }
  }
});

test.each([
  ['Asia/Shanghai', '2026-11-22 14:00:00 UTC+8'],
  ['Europe/Berlin', '2026-11-22 07:00:00 UTC+1'],
  ['UTC', '2026-11-22 06:00:00 UTC'],
])('a time in a sentence is that of the site, in %s, and says so', (timezone, words) => {
  const evidence = { values: {}, forS: 15, heardAt: '2026-11-22T06:00:00Z' };
  for (const language of ['en', 'zh-CN'] as const)
    expect(sentence(rules.get('gateway-offline')!, evidence, { language, timezone })).toContain(words);
});

test('every role that a rule reads is a point of a template of its kind', () => {
  const templates = [...loadTemplates().values()];
  for (const rule of rules.values()) {
    if (!('equipment' in rule) || rule.kind === 'no-data') continue;
    for (const kind of rule.equipment) {
      const own = templates.filter((template) => template.kind === kind);
      for (const { id, points } of own)
        expect([rule.key, id, points.map(({ key }) => key)]).toEqual([
          ...[rule.key, id],
          expect.arrayContaining([...pointKeys(rule)]),
        ]);
    }
  }
});

test('a silent device is a fault of one rule only, whatever its kind', () => {
  for (const { kind } of loadTemplates().values()) {
    const found = [...rules.values()].filter((rule) => rule.kind === 'no-data' && looksAt(rule, kind));
    expect([kind, found.length]).toEqual([kind, 1]);
  }
});

const good = `
key: too-hot
kind: threshold
equipment: [ahu]
point: supply_air_temperature
side: above
limit: { value: 30, unit: °C, min: 20, max: 40 }
for: 10
clearFor: 10
severity: warning
skill: hvac
title: { en: Hot, zh: 热 }
advice: { en: Look, zh: 看 }
detail: { en: 'It is {supply_air_temperature}.', zh: '现为 {supply_air_temperature}' }
`;
test('a sound rule is taken', () => expect(parseRule(good, 'too-hot').ok).toBe(true));
test.each([
  ['another name than its file', good, 'other', 'key is too-hot'],
  ['an unknown kind', good.replace('threshold', 'magic'), 'too-hot', 'kind must be one of'],
  ['a limit outside its range', good.replace('value: 30', 'value: 50'), 'too-hot', 'outside 20 to 40'],
  ['both a limit and a value', `${good}equals: 1\n`, 'too-hot', 'either equals'],
  [
    'a sentence about what it does not read',
    good.replace('{supply', '{return'),
    'too-hot',
    'does not look at',
  ],
  ['an unknown key', `${good}colour: red\n`, 'too-hot', 'too-hot: '],
])('a rule with %s is refused', (_what, text, key, why) => {
  const result = parseRule(text, key);
  expect(result.ok ? [] : result.faults.join('; ')).toContain(why);
});

test('faults of all files are told together, and nothing explains itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  folders.push(folder);
  const named = (key: string, explained: string) =>
    writeFileSync(
      join(folder, `${key}.yaml`),
      `${good.replace('too-hot', key)}explains: { same: [${explained}] }\n`,
    );
  named('one', 'two');
  named('two', 'one');
  named('three', 'none');
  expect(() => loadRules(folder)).toThrow(
    /one: explains itself.*three: explains none, which is no rule.*two: explains itself/,
  );
});

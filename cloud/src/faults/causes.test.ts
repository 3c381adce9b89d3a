import { describe, expect, test } from 'vitest';
import { type Cause, grouped, type Servant, servedBy } from './causes.ts';
import { loadRules } from './rules.ts';

const rules = loadRules();
const served = new Map([
  ['ahu', new Set(['zone-1', 'zone-2'])],
  ['chiller', new Set(['ahu', 'zone-1', 'zone-2'])],
]);
const fault = (rule: string, subjectId: string, causeId: string | null = null): Cause => ({
  ...{ id: `${rule} of ${subjectId}`, rule, subjectId, causeId },
});
const causes = (known: Cause[], fresh: Cause[]) =>
  grouped(rules, served, known, fresh).map(({ causeId }) => causeId);

describe('grouped', () => {
  test.each([
    ['what stands alone', [], [fault('zone-too-warm', 'zone-1')], [null]],
    [
      'a warm zone under the fan of the unit that serves it',
      [fault('ahu-supply-fan-fails', 'ahu')],
      [fault('zone-too-warm', 'zone-1')],
      ['ahu-supply-fan-fails of ahu'],
    ],
    [
      'not under the fan of another unit',
      [fault('ahu-supply-fan-fails', 'other')],
      [fault('zone-too-warm', 'zone-1')],
      [null],
    ],
    [
      'not what the rule does not name',
      [fault('ahu-supply-fan-fails', 'ahu')],
      [fault('water-leak', 'zone-1')],
      [null],
    ],
    [
      'on the same equipment',
      [fault('ahu-cooling-valve-stuck', 'ahu')],
      [fault('supply-air-too-warm', 'ahu')],
      ['ahu-cooling-valve-stuck of ahu'],
    ],
    [
      'two that come together, in whatever order',
      [],
      [fault('zone-too-warm', 'zone-1'), fault('ahu-supply-fan-fails', 'ahu')],
      ['ahu-supply-fan-fails of ahu', null],
    ],
    [
      'under the outermost of a chain',
      [fault('chiller-alarm', 'chiller')],
      [fault('supply-air-too-warm', 'ahu'), fault('zone-too-warm', 'zone-1')],
      ['chiller-alarm of chiller', 'chiller-alarm of chiller'],
    ],
    [
      'under the cause of a known consequence, though that is over',
      [fault('supply-air-too-warm', 'ahu', 'gone')],
      [fault('zone-too-warm', 'zone-2')],
      ['gone'],
    ],
  ])('%s', (_what, known, fresh, expected) => {
    expect(causes(known, fresh)).toEqual(expected);
  });
});

describe('servedBy', () => {
  const one = (id: string, floorId: string | null, serves: string[] = []): Servant => ({
    id,
    floorId,
    serves,
  });
  const all = servedBy([
    one('chiller', 'roof', ['1', '2', '3']),
    one('ahu-a', 'roof', ['1', '2']),
    one('ahu-b', 'roof', ['3']),
    one('zone-1', '1'),
    one('zone-3', '3'),
    one('meter', null),
  ]);
  test.each([
    ['ahu-a', ['zone-1']],
    ['ahu-b', ['zone-3']],
    ['chiller', ['ahu-a', 'ahu-b', 'zone-1', 'zone-3']],
    ['zone-1', undefined],
  ])('%s serves %j', (id, expected) => {
    const found = all.get(id);
    expect(found && [...found].sort()).toEqual(expected);
  });
});

import type { ProvisioningSteps } from '@parkline/contract';
import { expect, test } from 'vitest';
import { stepsOf } from './steps.ts';

const nothing: ProvisioningSteps = {
  ...{ codeMadeAt: null, claimedAt: null },
  ...{ connectedAt: null, configuredAt: null, firstValueAt: null },
};
const namesOf = (steps: Partial<ProvisioningSteps>) =>
  stepsOf({ ...nothing, ...steps }).map(({ name, at }) => (at === null ? `${name}?` : name));

test('a gateway that is only added is to be set up in the usual order', () => {
  expect(namesOf({})).toEqual(['code?', 'claimed?', 'connected?', 'configured?', 'value?']);
});

test('steps stand in the order in which they happened, and what is open stands last', () => {
  const claimed = { codeMadeAt: '2026-03-01T08:00:00Z', claimedAt: '2026-03-01T09:00:00Z' };
  const connected = { connectedAt: '2026-03-01T09:00:02Z', firstValueAt: '2026-03-01T09:00:04Z' };
  expect(namesOf({ ...claimed, ...connected })).toEqual([
    'code',
    'claimed',
    'connected',
    'value',
    'configured?',
  ]);
  expect(namesOf({ ...claimed, ...connected, configuredAt: '2026-03-01T09:00:03Z' })).toEqual([
    ...['code', 'claimed', 'connected', 'configured', 'value'],
  ]);
});

test('what happened at one instant stays in the usual order', () => {
  const at = '2026-03-01T09:00:00Z';
  expect(namesOf({ codeMadeAt: at, claimedAt: at, configuredAt: at, connectedAt: at })).toEqual([
    ...['code', 'claimed', 'connected', 'configured', 'value?'],
  ]);
});

test('keys that were let in by hand came with no code, and none is to come', () => {
  const at = '2026-03-01T09:00:00Z';
  expect(namesOf({ claimedAt: at })).toEqual(['trusted', 'connected?', 'configured?', 'value?']);
});

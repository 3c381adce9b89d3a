import { expect, test } from 'vitest';
import { diffConfigs, isLiveChange } from './diff.ts';
import { parseConfig } from './load.ts';

const text = `
version: 1
gatewayId: 018f0000-0000-7000-8000-000000000001
name: Gateway A
nats: { url: 'nats://127.0.0.1:4222' }
connections:
  - id: hall
    driver: modbus
    params: { transport: tcp, host: 10.0.0.1, password: first }
    devices:
      - equipmentId: 018f0000-0000-7000-8000-000000000002
        name: Meter
        params: { unit: 1 }
        points:
          - { id: 018f0000-0000-7000-8000-000000000003, address: 'hr:0:u16', kind: gauge, unit: kW }
          - { id: 018f0000-0000-7000-8000-000000000004, address: 'hr:2:u16', kind: gauge, unit: kW, write: { min: 0, max: 9 } }
rules:
  alarms:
    - { key: hot, point: 018f0000-0000-7000-8000-000000000003, when: above, limit: 50, text: too hot }
  schedules:
    - { key: morning, cron: '0 7 * * *', point: 018f0000-0000-7000-8000-000000000004, value: 3 }
`;
const from = parseConfig(text);
const changed = (...replace: (readonly [string, string])[]) =>
  parseConfig(replace.reduce((yaml, [old, by]) => yaml.replace(old, by), text));

test('a text against itself is no change', () => {
  expect(diffConfigs(from, changed())).toEqual([]);
  expect(isLiveChange(from, changed())).toBe(true);
});

test('each thing is told once, with the fields that differ', () => {
  const to = changed(
    ['name: Gateway A', 'name: Gateway B'],
    ['10.0.0.1', '10.0.0.2'],
    ["address: 'hr:0:u16'", "address: 'hr:0:i16'"],
    ['limit: 50', 'limit: 60'],
    ["cron: '0 7", "cron: '0 8"],
  );
  const short = diffConfigs(from, to).map(({ how, what, id, fields }) => ({ how, what, id, fields }));
  expect(short).toEqual([
    {
      how: 'change',
      what: 'setting',
      id: 'name',
      fields: [{ field: 'name', from: '"Gateway A"', to: '"Gateway B"' }],
    },
    {
      how: 'change',
      what: 'connection',
      id: 'hall',
      fields: [{ field: 'params.host', from: '"10.0.0.1"', to: '"10.0.0.2"' }],
    },
    {
      how: 'change',
      what: 'point',
      id: '018f0000-0000-7000-8000-000000000003',
      fields: [{ field: 'address', from: '"hr:0:u16"', to: '"hr:0:i16"' }],
    },
    { how: 'change', what: 'alarm', id: 'hot', fields: [{ field: 'limit', from: '50', to: '60' }] },
    {
      how: 'change',
      what: 'schedule',
      id: 'morning',
      fields: [{ field: 'cron', from: '"0 7 * * *"', to: '"0 8 * * *"' }],
    },
  ]);
});

test('what comes and what goes is named whole', () => {
  const renumbered = changed(['000000000002', '000000000009']);
  expect(diffConfigs(from, renumbered).map(({ how, what, id }) => `${how} ${what} ${id.slice(-1)}`)).toEqual([
    'remove device 2',
    'add device 9',
    'change point 3',
    'change point 4',
  ]);
});

test('a password is told as changed and never shown', () => {
  const changes = diffConfigs(from, changed(['password: first', 'password: second']));
  expect(changes).toHaveLength(1);
  expect(changes[0]?.fields).toEqual([{ field: 'params.password', from: '(hidden)', to: '(hidden)' }]);
});

test.each([
  ['a device', "address: 'hr:0:u16'", "address: 'hr:0:i16'", true],
  ['a connection', '10.0.0.1', '10.0.0.2', true],
  ['the broker', '4222', '4223', false],
  ['a rule', 'limit: 50', 'limit: 60', false],
  ['how long a scheduled value may stand', 'max: 9 }', 'max: 9, holdS: 60 }', false],
])('whether %s is changed while all runs', (_what, old, by, isLive) => {
  expect(isLiveChange(from, changed([old, by]))).toBe(isLive);
});

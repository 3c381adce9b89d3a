import { describe, expect, test } from 'vitest';
import { deviceState, equipmentView, gatewayState, gatewayView } from './domain.ts';

const now = new Date('2026-11-22T10:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);

test.each([
  ['never heard', null, 'never'],
  ['heard just now', ago(0), 'online'],
  ['heard 30 s ago', ago(30_000), 'online'],
  ['heard longer ago', ago(30_001), 'offline'],
] as const)('a gateway %s', (_what, heardAt, state) => {
  expect(gatewayState({ heardAt, revokedAt: null }, now)).toBe(state);
});

test('a gateway that was thrown out is revoked, however lately it was heard', () => {
  expect(gatewayState({ heardAt: ago(0), revokedAt: ago(1) }, now)).toBe('revoked');
  expect(gatewayState({ heardAt: null, revokedAt: ago(1) }, now)).toBe('revoked');
});

test.each([
  ['online', 'online', 'online'],
  ['silent', 'online', 'silent'],
  [null, 'online', 'unknown'],
  ['online', 'offline', 'unknown'],
  [null, 'never', 'unknown'],
] as const)('a device last said to be %s behind a gateway that is %s', (said, gateway, state) => {
  expect(deviceState(said, gateway)).toBe(state);
});

describe('what a person sees', () => {
  const gateway = {
    id: 'g1',
    key: 'gw-a',
    name: { en: 'Gateway A', zh: 'A 座网关' },
    buildingId: 'b1',
    heardAt: ago(5_000),
    revokedAt: null,
    startedAt: ago(60_000),
    version: '0.1.0',
    writing: 'off' as const,
    outboxPending: '12',
    outboxOldestAt: ago(2_000),
    outboxBytes: '4096',
    outboxMaxBytes: '1048576',
    outboxWaitingBytes: '2048',
    outboxHoursLeft: 7.5,
    clockSkewMs: '-2500',
    clockMeasuredAt: ago(5_000),
    devicesTotal: 9,
    devicesOnline: 8,
  };

  test('a gateway in both languages, its devices only while it is there', () => {
    expect(gatewayView(gateway, now, 'zh-CN')).toMatchObject({
      name: 'A 座网关',
      state: 'online',
      lastSeenAt: '2026-11-22T09:59:55.000Z',
      outbox: {
        pending: 12,
        oldestAt: '2026-11-22T09:59:58.000Z',
        bytes: 4_096,
        maxBytes: 1_048_576,
        waitingBytes: 2_048,
        hoursLeft: 7.5,
      },
      devices: { total: 9, online: 8 },
    });
    const gone = gatewayView({ ...gateway, heardAt: ago(60_000) }, now, 'en');
    expect(gone).toMatchObject({ name: 'Gateway A', state: 'offline', devices: { total: 9, online: 0 } });
  });

  test('a gateway that never spoke has no outbox to show', () => {
    const silent = { ...gateway, heardAt: null, startedAt: null, version: null, outboxPending: null };
    expect(gatewayView(silent, now, 'en')).toMatchObject({ state: 'never', outbox: null, lastSeenAt: null });
  });

  test('the reason of a silent device, and no reason of a device nobody can see', () => {
    const row = {
      id: 'e1',
      name: { en: 'Main', zh: '总' },
      kind: 'water-meter',
      template: 'water-meter/x',
      buildingId: 'b1',
      floorId: null,
      gatewayId: 'g1',
      submeterOf: null,
      protocol: 'modbus',
      bus: 'a-panel',
      params: { unit: 3, transport: 'tcp' },
      state: 'silent',
      lastOkAt: null,
      error: 'no answer',
      revokedAt: null,
      heardAt: ago(0),
      powerPointId: null,
      registerPointId: 'p1',
      serves: [],
    } as const;
    expect(equipmentView(row, now, 'en')).toMatchObject({
      state: 'silent',
      error: 'no answer',
      address: 'a-panel unit 3',
    });
    expect(equipmentView({ ...row, heardAt: ago(99_000) }, now, 'en')).toMatchObject({
      state: 'unknown',
      error: null,
    });
  });
});

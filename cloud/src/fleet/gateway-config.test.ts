import { loadTemplates } from '@parkline/templates';
import { describe, expect, test } from 'vitest';
import { gatewayConfig, setPath } from './gateway-config.ts';

const templates = loadTemplates();
const device = (id: string, unit: number, template = 'three-phase-meter/carlo-em24') => ({
  id,
  name: `Meter ${id}`,
  template,
  protocol: 'modbus',
  bus: 'a-panel',
  params: { unit, transport: 'tcp' as const },
  points: new Map([
    ['active_power_total', { id: `${id}-p`, pollMs: 1_000, heartbeatMs: 9_000 }],
    ['active_energy_import', { id: `${id}-e`, pollMs: 60_000, heartbeatMs: 300_000 }],
  ]),
});
const gateway = {
  id: 'g1',
  name: 'Gateway A',
  timezone: 'Asia/Shanghai',
  devices: [device('m1', 1), device('m2', 2)],
};
const ports = { 'a-panel': { host: '127.0.0.1', port: 15_020 } };
const natsUrl = 'nats://127.0.0.1:4222';

describe('the configuration of a gateway', () => {
  test('has one connection a bus, with the devices that share it', () => {
    const config = gatewayConfig(gateway, { ports, natsUrl, templates });
    expect(config).toMatchObject({
      version: 1,
      gatewayId: 'g1',
      timezone: 'Asia/Shanghai',
      nats: { url: natsUrl },
      connections: [
        {
          id: 'a-panel',
          driver: 'modbus',
          params: { transport: 'tcp', host: '127.0.0.1', port: 15_020 },
          devices: [
            { equipmentId: 'm1', params: { unit: 1, wordOrder: 'low-first' } },
            { equipmentId: 'm2', params: { unit: 2 } },
          ],
        },
      ],
    });
  });

  test('reads the points that the park knows, as the template says and at the pace of the park', () => {
    const config = gatewayConfig(gateway, { ports, natsUrl, templates }) as {
      connections: [{ devices: [{ points: { id: string; kind: string; pollMs: number }[] }] }];
    };
    const { points } = config.connections[0].devices[0];
    expect(points.map(({ id, kind, pollMs }) => [id, kind, pollMs]).sort()).toEqual([
      ['m1-e', 'register', 60_000],
      ['m1-p', 'gauge', 1_000],
    ]);
  });

  test('cannot be made while nobody says where a bus is', () => {
    expect(() => gatewayConfig(gateway, { ports: {}, natsUrl, templates })).toThrow('a-panel');
  });
});

describe('a setting', () => {
  const config = () => ({ report: { every: false }, nats: { url: 'x' }, connections: [] });
  test.each([
    ['report.every=true', { report: { every: true } }],
    ['nats.url=nats://hub:4222', { nats: { url: 'nats://hub:4222' } }],
  ])('%s is taken over', (assignment, expected) => {
    const changed = config();
    setPath(changed, assignment);
    expect(changed).toMatchObject(expected);
  });

  test.each(['report.evry=true', 'x.y=1', 'report.every', '=1', 'connections.0=1', '__proto__.x=1'])(
    '%s is refused when it names nothing',
    (assignment) => {
      expect(() => setPath(config(), assignment)).toThrow('no such setting');
    },
  );
});

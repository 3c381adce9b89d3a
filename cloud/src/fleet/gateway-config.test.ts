import { loadTemplates } from '@parkline/templates';
import { describe, expect, test } from 'vitest';
import { gatewayConfig, setPath } from './gateway-config.ts';

const templates = loadTemplates();
const device = (id: string, unit: number, template = 'three-phase-meter/carlo-em24') => ({
  id,
  key: id,
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

  test('takes the parameters of a serial line as they are written out', () => {
    const line = { transport: 'rtu', path: '/dev/ttyUSB0', baudRate: 19_200 };
    const config = gatewayConfig(gateway, { ports: { 'a-panel': { params: line } }, natsUrl, templates });
    expect(config).toMatchObject({
      connections: [{ driver: 'modbus', params: line, devices: [{ params: { unit: 1 } }, {}] }],
    });
  });

  test('names meters by their address, behind a serial server', () => {
    const at = (id: string, protocol: string, template: string, params: Record<string, unknown>) => ({
      ...{ ...device(id, 1, template), protocol, bus: protocol, params, points: new Map() },
    });
    const devices = [
      at('e', 'dlt645', 'three-phase-meter/generic-dlt645', { address: '000031000001' }),
      at('w', 'cjt188', 'water-meter/generic-cjt188', { type: '11', address: '33780015059001' }),
    ];
    const place = { host: '127.0.0.1', port: 15_030 };
    const config = gatewayConfig(
      { ...gateway, devices },
      { ports: { dlt645: place, cjt188: place }, natsUrl, templates },
    );
    expect(config).toMatchObject({
      connections: [
        {
          ...{ driver: 'dlt645', params: { transport: 'tcp', ...place } },
          devices: [{ params: { address: '000031000001' } }],
        },
        {
          ...{ driver: 'cjt188', params: { transport: 'tcp', ...place } },
          devices: [{ params: { type: '11', address: '33780015059001' } }],
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

  const on = (protocol: string, params: Record<string, unknown>) => ({
    ...gateway,
    devices: [{ ...device('d-1', 1), protocol, params, points: new Map() }],
  });
  const connectionOf = (protocol: string, params: Record<string, unknown>, place: object, tokens = {}) => {
    const around = {
      ports: { 'a-panel': { host: '127.0.0.1', port: 1, ...place } },
      natsUrl,
      templates,
      tokens,
    };
    const [connection] = gatewayConfig(on(protocol, params), around)['connections'] as {
      driver: string;
      params: object;
      devices: { params: object }[];
    }[];
    return [connection?.driver, connection?.params, connection?.devices[0]?.params];
  };

  test('asks a BACnet network who is there, on a machine of one’s own from any free port', () => {
    expect(connectionOf('bacnet', { device: 2001 }, { port: 47_808 })).toEqual([
      'bacnet',
      { host: '127.0.0.1', port: 0, whoIs: [{ host: '127.0.0.1', port: 47_808 }] },
      expect.objectContaining({ device: 2001 }),
    ]);
    expect(connectionOf('bacnet', { device: 2001 }, { host: '10.1.255.255', port: 47_808 })[1]).toEqual({
      whoIs: [{ host: '10.1.255.255', port: 47_808 }],
    });
  });

  test('names the certificate of an OPC UA server, and refuses a server without one', () => {
    const fingerprint = 'ab'.repeat(32);
    expect(connectionOf('opcua', { root: 'Lift1' }, { host: 'lifts', port: 4_840, fingerprint })).toEqual([
      'opcua',
      { endpointUrl: 'opc.tcp://lifts:4840', serverFingerprint: fingerprint },
      expect.objectContaining({ root: 'Lift1' }),
    ]);
    expect(() => connectionOf('opcua', { root: 'Lift1' }, {})).toThrow(
      'no fingerprint of the server of bus a-panel',
    );
  });

  test('holds the hash of what an MQTT device logs in with, never the token', () => {
    const tokens = { 'd-1': 'a token of the device' };
    const config = connectionOf('mqtt', { username: 'gate-1' }, { port: 1_883 }, tokens);
    expect(config).toEqual([
      'mqtt',
      { host: '127.0.0.1', port: 1_883 },
      expect.objectContaining({
        username: 'gate-1',
        passwordSha256: '870225b2d40b24633a082b5400f035467002057d30b34ccd7a0bc3efd47139c5',
      }),
    ]);
    expect(JSON.stringify(config)).not.toContain('a token');
    expect(() => connectionOf('mqtt', { username: 'gate-1' }, {})).toThrow(
      'd-1 logs in at the gateway: name a secrets file',
    );
  });

  test('is refused for a protocol without a driver and for an address of another one', () => {
    expect(() => connectionOf('lonworks', { neuron: 1 }, {})).toThrow(
      'bus a-panel: there is no driver for lonworks',
    );
    expect(() => connectionOf('modbus', { device: 2001 }, {})).toThrow('d-1 has no modbus address');
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

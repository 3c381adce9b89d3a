import { expect, test } from 'vitest';
import { directParams, protocols } from './direct.ts';
import { loadDriver } from './open.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const deps = { now: () => 0, dataDir: '/nowhere', log: quiet };

test.each([
  ['modbus', { tcp: '10.0.0.5', unit: 3 }, { transport: 'tcp', host: '10.0.0.5', port: 502 }, { unit: 3 }],
  [
    'modbus',
    { rtuOverTcp: '[fe80::1]:4001' },
    { transport: 'rtu-over-tcp', host: 'fe80::1', port: 4_001 },
    {},
  ],
  [
    'modbus',
    { serial: '/dev/ttyUSB0', baud: 19_200, parity: 'none', timeout: 500 },
    { transport: 'rtu', path: '/dev/ttyUSB0', baudRate: 19_200, parity: 'none', timeoutMs: 500 },
    {},
  ],
  [
    'bacnet',
    { whoIs: ['10.0.0.255', '10.0.1.9:47809'], instance: 2_001 },
    {
      whoIs: [
        { host: '10.0.0.255', port: 47_808 },
        { host: '10.0.1.9', port: 47_809 },
      ],
    },
    { device: 2_001 },
  ],
  ['bacnet', { bbmd: 'b' }, { whoIs: [], bbmd: { host: 'b', port: 47_808 } }, {}],
  [
    'bacnet',
    { whoIs: ['127.0.0.1:4000'] },
    { host: '127.0.0.1', port: 0, whoIs: [{ host: '127.0.0.1', port: 4_000 }] },
    {},
  ],
  [
    'opcua',
    { endpoint: 'opc.tcp://s:4840', fingerprint: 'ab', user: 'u', password: 'p', root: 'Lift1' },
    { endpointUrl: 'opc.tcp://s:4840', serverFingerprint: 'ab', user: 'u', password: 'p' },
    { root: 'Lift1' },
  ],
  [
    'mqtt',
    { broker: 'mqtt://b', user: 'u', passwordFile: 'f', topic: 'plant/1' },
    { mode: 'client', url: 'mqtt://b', cleanSession: true, username: 'u', passwordFile: 'f' },
    { topic: 'plant/1' },
  ],
  [
    'dlt645',
    { tcp: 'm:26', meter: '202600000001' },
    { transport: 'tcp', host: 'm', port: 26 },
    { address: '202600000001' },
  ],
  ['cjt188', { serial: '/dev/ttyS1' }, { transport: 'serial', path: '/dev/ttyS1' }, {}],
  // Parameters written out stand alone, and win.
  [
    'modbus',
    { connection: '{"transport":"tcp","host":"h"}', device: '{"unit":9}', unit: 3 },
    { transport: 'tcp', host: 'h' },
    { unit: 9 },
  ],
] as const)('%s %o', (protocol, options, connection, device) => {
  expect(directParams(protocol, options as never)).toEqual({ connection, device });
});

test.each([
  ['modbus', {}, /--tcp HOST, --rtu-over-tcp HOST:PORT or --serial PATH/],
  ['modbus', { tcp: 'h:99999' }, /--tcp h:99999: there is no port 99999/],
  ['modbus', { rtuOverTcp: 'h' }, /--rtu-over-tcp h: the port is missing/],
  ['bacnet', {}, /--who-is .*or --bbmd/],
  ['opcua', {}, /--endpoint/],
  ['mqtt', {}, /--broker/],
  ['dlt645', {}, /--serial PATH, or --tcp/],
  ['modbus', { connection: '[1]' }, /--connection must be a JSON object/],
  ['modbus', { connection: '{' }, /--connection is not JSON/],
  ['lonworks', {}, /no driver lonworks; there are modbus, bacnet/],
] as const)('%s %o is refused with what would be right', (protocol, options, why) => {
  expect(() => directParams(protocol, options)).toThrow(why);
});

test('every protocol of the bench has a driver, which takes what the short forms give', async () => {
  const given = {
    modbus: { tcp: 'h', unit: 1 },
    bacnet: { whoIs: ['h'], instance: 1 },
    opcua: { endpoint: 'opc.tcp://h', fingerprint: 'ab'.repeat(32) },
    mqtt: { broker: 'mqtt://h', topic: 't' },
    dlt645: { tcp: 'h:1', meter: '202600000001' },
    cjt188: { tcp: 'h:1', meter: '11112026000001', meterType: '10' },
  } as const;
  expect(Object.keys(given)).toEqual(protocols);
  for (const [protocol, options] of Object.entries(given)) {
    const { connection, device } = directParams(protocol, options);
    const opened = (await loadDriver(protocol)).openConnection(connection, deps);
    await opened.device(device).close();
    await opened.close();
  }
});

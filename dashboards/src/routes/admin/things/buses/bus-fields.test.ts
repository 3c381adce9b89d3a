import { expect, test } from 'vitest';
import { isUnprotected } from '#lib/buses/security.ts';
import {
  fieldsOf,
  freshText,
  furtherOf,
  paramsOf,
  placesOf,
  takesPassword,
  textOf,
  whereOf,
  wrongIn,
} from './bus-fields.ts';

test.each([
  ['modbus', { transport: 'tcp', host: '10.0.0.7', port: 502, timeoutMs: 800 }],
  ['modbus', { transport: 'rtu', path: '/dev/ttyUSB0', baudRate: 9_600, parity: 'even', echo: true }],
  ['bacnet', { whoIs: [{ host: '10.0.0.255', port: 47_808 }, { host: '10.0.1.7' }], retries: 2 }],
  ['bacnet', { bbmd: { host: '10.2.0.1', port: 47_808, ttlS: 60 }, host: '10.0.0.2' }],
  [
    'opcua',
    {
      endpointUrl: 'opc.tcp://10.0.0.9:4840',
      securityPolicy: 'None',
      securityMode: 'None',
      waiveSecurity: true,
    },
  ],
  ['mqtt', { mode: 'client', url: 'mqtts://broker:8883', clientId: 'gw-a', username: 'park' }],
  ['dlt645', { transport: 'serial', path: '/dev/ttyS0', baudRate: 2_400, parity: 'even', stopBits: 1 }],
])('what a %s bus is told stays as it is when the form is saved untouched: %j', (protocol, params) => {
  const text = textOf(protocol, params);
  expect(wrongIn(protocol, text)).toEqual(new Map());
  expect(paramsOf(protocol, text, params)).toEqual(params);
});

test.each([
  ['modbus', '502'],
  ['bacnet', '47808'],
  ['mqtt', '1883'],
  ['dlt645', '8899'],
  ['cjt188', '8899'],
  ['opcua', undefined],
])(
  'a new %s bus begins with the usual port %s, and one that is there shows what it was told',
  (protocol, port) => {
    expect(freshText(protocol)['port']).toBe(port);
    expect(textOf(protocol, {})['port'] || undefined).toBeUndefined();
  },
);

test('another way of reaching a line takes the fields of the first away, and nothing else', () => {
  const before = { transport: 'tcp', host: '10.0.0.7', port: 502, gapRegisters: 4 };
  const text = { ...textOf('modbus', before), transport: 'rtu', path: '/dev/ttyUSB0' };
  expect(fieldsOf('modbus', text).map(({ name }) => name)).toEqual([
    'transport',
    'path',
    'baudRate',
    'parity',
  ]);
  expect(paramsOf('modbus', text, before)).toEqual({
    transport: 'rtu',
    path: '/dev/ttyUSB0',
    gapRegisters: 4,
  });
  expect(furtherOf('modbus', before)).toEqual({ gapRegisters: 4 });
});

test('a waiver of security goes with what it was for', () => {
  const open = { securityPolicy: 'None', securityMode: 'None' };
  const before = { endpointUrl: 'opc.tcp://10.0.0.9:4840', ...open, waiveSecurity: true };
  const text = textOf('opcua', before);
  const typed = { ...text, securityPolicy: 'Basic256Sha256' };
  expect(isUnprotected({ protocol: 'opcua', params: before })).toBe(true);
  expect(paramsOf('opcua', typed, before)).toEqual({ ...before, securityPolicy: 'Basic256Sha256' });
  const closed = paramsOf('opcua', { ...typed, securityMode: 'SignAndEncrypt' }, before);
  expect(closed).toEqual({
    endpointUrl: before.endpointUrl,
    ...{ securityPolicy: 'Basic256Sha256', securityMode: 'SignAndEncrypt' },
  });
  expect(isUnprotected({ protocol: 'opcua', params: closed })).toBe(false);
});

test('says what is missing and what is no place', () => {
  expect(wrongIn('bacnet', textOf('bacnet', {}))).toEqual(new Map([['whoIs', 'needed']]));
  expect(wrongIn('bacnet', { whoIs: 'somewhere else:x', bbmd: 'a; b' })).toEqual(
    new Map([
      ['whoIs', 'places'],
      ['bbmd', 'places'],
    ]),
  );
  expect(wrongIn('opcua', {})).toEqual(new Map([['endpointUrl', 'needed']]));
  expect(placesOf('10.0.0.255:47808；10.0.1.7')).toEqual([
    { host: '10.0.0.255', port: 47_808 },
    { host: '10.0.1.7' },
  ]);
});

test('a password is asked for where somebody else lets us in', () => {
  expect(takesPassword({ protocol: 'opcua', params: {} })).toBe(true);
  expect(takesPassword({ protocol: 'mqtt', params: { mode: 'client' } })).toBe(true);
  expect(takesPassword({ protocol: 'mqtt', params: {} })).toBe(false);
  expect(takesPassword({ protocol: 'modbus', params: {} })).toBe(false);
});

test('a bus is found in one line', () => {
  expect(whereOf({ params: { transport: 'tcp', host: '10.0.0.7', port: 502 } })).toBe('10.0.0.7:502');
  expect(whereOf({ params: { host: '0.0.0.0', whoIs: [{ host: '10.0.0.255' }] } })).toBe('10.0.0.255');
});

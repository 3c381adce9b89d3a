import { expect, test } from 'vitest';
import { parseConnectionParams, parseDeviceParams } from './params.ts';

test('a broadcast address is all that a connection needs', () => {
  expect(parseConnectionParams({ whoIs: [{ host: '10.1.1.255' }] })).toEqual({
    host: '0.0.0.0',
    port: 47_808,
    whoIs: [{ host: '10.1.1.255', port: 47_808 }],
    timeoutMs: 1_000,
    retries: 3,
    maxInFlight: 16,
  });
});

test('every bad field is named', () => {
  const parse = () => parseConnectionParams({ whoIs: [], port: 70_000, timeoutMs: 'soon' });
  expect(parse).toThrow(expect.objectContaining({ code: 'config' }));
  expect(parse).toThrow(/port .*; .*timeoutMs|whoIs .*; /);
  expect(() => parseConnectionParams({})).toThrow(/whoIs/);
});

test('a device is named by its instance', () => {
  expect(parseDeviceParams({ device: 2001 })).toEqual({
    ...{ device: 2001, cov: 'confirmed', covLifetimeS: 600 },
    ...{ alarms: 'subscribe', alarmPollS: 30 },
  });
  expect(() => parseDeviceParams({ device: 4_194_303 })).toThrow(/device/);
  expect(() => parseDeviceParams({ device: 1, cov: 'often' })).toThrow(/cov/);
});

test('a misspelt field is no field', () => {
  const whoIs = [{ host: '10.1.1.255', prt: 47_809 }];
  expect(() => parseConnectionParams({ whoIs, retrys: 1 })).toThrow(
    /retrys is no parameter.*whoIs\/0\/prt is no parameter|whoIs\/0\/prt is no parameter.*retrys is no parameter/,
  );
  expect(() => parseDeviceParams({ device: 1, covLifetime: 60 })).toThrow('covLifetime is no parameter');
});

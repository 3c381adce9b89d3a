import { expect, test } from 'vitest';
import { asGuest } from './guest.ts';

test('beside a gateway at the broker of somebody else nobody comes by its name, nor for what is kept for it', () => {
  const params = { mode: 'client', url: 'mqtt://127.0.0.1:1883', clientId: 'gateway-a', username: 'gw' };
  expect(asGuest('mqtt', params)).toEqual({
    params: { mode: 'client', url: 'mqtt://127.0.0.1:1883', username: 'gw', cleanSession: true },
    isStranger: true,
    isStandIn: false,
  });
});

test('in place of the broker of a gateway one is that broker, and changes nothing elsewhere', () => {
  const params = { host: '127.0.0.1', port: 1883 };
  expect(asGuest('mqtt', params)).toEqual({ params, isStranger: false, isStandIn: true });
  expect(asGuest('bacnet', params)).toEqual({ params, isStranger: false, isStandIn: false });
});

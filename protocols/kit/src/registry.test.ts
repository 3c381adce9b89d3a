import { expect, test } from 'vitest';
import type { DriverModule } from './driver.ts';
import { createRegistry } from './registry.ts';

const moduleOf = (protocol: string): { driver: DriverModule } => ({
  driver: {
    protocol,
    openConnection: () => {
      throw new Error('not opened in this test');
    },
  },
});

test('a driver is loaded when it is first named, and once', async () => {
  let loads = 0;
  const registry = createRegistry([['modbus', async () => (loads++, moduleOf('modbus'))]]);
  expect(loads).toBe(0);
  const [first, second] = await Promise.all([registry.load('modbus'), registry.load('modbus')]);
  expect([first.protocol, first === second, loads]).toEqual(['modbus', true, 1]);
});

test('an unknown name is refused with the list of those there are', async () => {
  const registry = createRegistry([
    ['modbus', async () => moduleOf('modbus')],
    ['bacnet', async () => moduleOf('bacnet')],
  ]);
  await expect(registry.load('knx')).rejects.toThrow('no driver knx; there are bacnet, modbus');
  await expect(createRegistry([]).load('knx')).rejects.toThrow('there are none');
});

test('a name that is there twice is refused at once', () => {
  const loader = async () => moduleOf('modbus');
  expect(() =>
    createRegistry([
      ['modbus', loader],
      ['modbus', loader],
    ]),
  ).toThrow('driver modbus is registered twice');
});

test('a package of another protocol is refused', async () => {
  const registry = createRegistry([['modbus', async () => moduleOf('mqtt')]]);
  await expect(registry.load('modbus')).rejects.toMatchObject({
    code: 'config',
    message: 'driver modbus calls itself mqtt',
  });
});

import { driver as bacnet } from '@parkline/bacnet';
import type { Driver } from '@parkline/kit';
import { driver as modbus } from '@parkline/modbus';
import { tmpdir } from 'node:os';
import pino from 'pino';
import { expect, test } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { applyPoints } from './apply.ts';
import type { Parsed } from './point.ts';
import type { StoredPoint } from './store.ts';
import { fixture, parse } from './testing.ts';

const uuid = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const base = `version: 1
gatewayId: ${uuid(1)}
name: g # the gateway of the north wing
nats: { url: nats://localhost }
connections:
  - { id: field, driver: modbus, params: { transport: tcp, host: h }, devices: [] }
  - { id: ddc, driver: bacnet, params: {}, devices: [] }
`;

const stored = (parsed: ReturnType<typeof parse>): StoredPoint[] =>
  parsed.found.map(({ point }, at) => ({ id: uuid(100 + at), source: 's', point }));

let ids = 1_000;
const options = (connection: string, device?: number): Parameters<typeof applyPoints>[2] => ({
  connection,
  device,
  createId: () => uuid((ids += 1)),
});

const head = 'point,slave_id,register,address,type,scale,unit,poll_s,writable,min,max';

test('points become devices of a configuration that the gateway takes', () => {
  const points = stored(parse('modbus', `${head}\nE,3,holding,1,u32,0.01,kWh,60,,,\nT,4,input,2,i16,0.1,°F,,,,\nSP,4,holding,3,i16,0.1,°C,,y,16,28\nR,4,coil,7,,,,,y,,`)); // prettier-ignore
  const applied = applyPoints(base, points, options('field'));
  expect(applied).toMatchObject({ points: 4, devices: 2, left: [] });
  expect(applied.yaml).toContain('# the gateway of the north wing');
  const [field] = parseConfig(applied.yaml).connections;
  expect(field?.devices.map(({ params }) => params)).toEqual([{ unit: 3 }, { unit: 4 }]);
  expect(field?.devices.flatMap((device) => device.points)).toMatchObject([
    {
      id: uuid(100),
      address: 'hr:1:u32',
      kind: 'register',
      unit: 'kWh',
      scale: 1,
      resolution: 0.01,
      pollMs: 60_000,
    },
    { address: 'ir:2:i16', unit: '°C', scale: 0.1 * (5 / 9), offset: -160 / 9 },
    { address: 'hr:3:i16', unit: '°C', scale: 0.1, write: { min: 16, max: 28 } },
    { address: 'co:7', kind: 'state', unit: '1', write: { min: 0, max: 1, step: 1 } },
  ]);
});

test('a second merge changes nothing', () => {
  const points = stored(parse('modbus', `${head}\nE,3,holding,1,u32,0.01,kWh,60,,,`));
  const once = applyPoints(base, points, options('field')).yaml;
  expect(applyPoints(once, points, options('field'))).toMatchObject({ yaml: once, devices: 0, points: 1 });
});

test('a point that the device has by another name is not put there twice', () => {
  const points = stored(parse('modbus', `${head}\nE,3,holding,1,u32,0.01,kWh,60,,,`));
  const once = applyPoints(base, points, options('field')).yaml;
  const again = applyPoints(
    once,
    [{ ...points[0]!, id: '018f0000-0000-7000-8000-0000000000ff' }],
    options('field'),
  );
  expect(again).toMatchObject({
    yaml: once,
    points: 0,
    left: [{ name: 'E', why: 'the device has a point with its address already' }],
  });
});

test('what cannot be read is left out with the reason', () => {
  const points = stored(parse('ede', fixture('ede/north_EDE.csv')));
  const { left } = applyPoints(base, points.slice(0, 1), options('field'));
  expect(left).toEqual([
    { name: 'N-AHU1-TSA', why: 'it is a bacnet point, and the connection speaks modbus' },
  ]);
  const map = stored(parse('modbus', fixture('modbus/carlo-em24.json')));
  expect(applyPoints(base, map, options('field')).left[0]?.why).toMatch(/--device NUMBER/);
  expect(applyPoints(base, map, options('field', 9))).toMatchObject({ points: 38, devices: 1, left: [] });
  expect(() => applyPoints(base, map, options('nowhere'))).toThrow(
    /no connection nowhere; there are: field, ddc/,
  );
});

test('every address of the examples is one that its driver takes', async () => {
  const deps = { now: Date.now, log: pino({ enabled: false }), dataDir: tmpdir() };
  const maps = [
    'modbus/carlo-em24.json',
    'modbus/abb-m4m.json',
    'modbus/7M_24.yaml',
    'modbus/acrel-adw300.yaml',
  ];
  // Nothing listens there: what is asked is only whether the driver understands.
  const nowhere = { transport: 'tcp', host: '127.0.0.1', port: 1, timeoutMs: 50 };
  const line = modbus.openConnection(nowhere, deps);
  const whoIs = [{ host: '127.0.0.1', port: 1 }];
  const net = bacnet.openConnection({ host: '127.0.0.1', port: 0, whoIs, timeoutMs: 50, retries: 0 }, deps);
  /** Addresses that the driver itself calls wrong; the others come as far as the network. */
  const wrong = async (device: Driver, files: readonly Parsed[]): Promise<string[]> => {
    const addresses = ['nonsense', ...files.flatMap(({ found }) => found.map(({ point }) => point.address!))];
    const whys = addresses.map(async (address) => {
      const ref = { pointId: address, address, scale: 1, kind: 'gauge' as const };
      const read = device.read([ref], AbortSignal.timeout(5_000));
      return read.then(([sample]) => sample?.why ?? '', (error: unknown) => String(error)); // prettier-ignore
    });
    const said = await Promise.all(whys);
    return addresses.filter((_, at) => said[at]!.includes('in address'));
  };
  try {
    const files = maps.map((name) => parse('modbus', fixture(name)));
    expect(files.map(({ found }) => found.length)).toEqual([38, 56, 19, 11]);
    expect(await wrong(line.device({ unit: 1 }), files)).toEqual(['nonsense']);
    const ede = parse('ede', fixture('ede/north_EDE.csv'));
    expect(await wrong(net.device({ device: 1 }), [ede])).toEqual(['nonsense']);
  } finally {
    await line.close();
    await net.close();
  }
});

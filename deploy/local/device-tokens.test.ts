import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { keepDeviceTokens, mqttDevices } from './device-tokens.ts';

const folder = await mkdtemp(join(tmpdir(), 'parkline-tokens-'));
afterAll(() => rm(folder, { recursive: true }));

const park = (...keys: string[]) => `
buildings:
  - buses: [{ key: a-main, transport: tcp }, { key: a-mqtt, protocol: mqtt }, { key: a-bacnet, protocol: bacnet }]
    equipment:
      - { key: ahu, bus: a-bacnet }
${keys.map((key) => `      - { key: ${key}, bus: a-mqtt }`).join('\n')}
  - buses: []
`;

test('devices on an MQTT bus are found, in parks with and without them', () => {
  expect(mqttDevices(park('gate', 'leak'))).toEqual(['gate', 'leak']);
  expect(mqttDevices('key: empty')).toEqual([]);
  expect(mqttDevices('')).toEqual([]);
});

test('each device has a token of its own, made once and kept', async () => {
  const [file, parkFile] = [join(folder, 'tokens.json'), join(folder, 'park.yaml')];
  const tokens = async () => JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  await writeFile(parkFile, park('gate'));
  expect(await keepDeviceTokens(file, parkFile)).toBe(true);
  const { gate } = await tokens();
  await writeFile(parkFile, park('gate', 'leak'));
  await keepDeviceTokens(file, parkFile);
  const both = await tokens();
  expect(both).toEqual({ gate, leak: expect.stringMatching(/^[\w-]{32}$/) });
  expect(both['leak']).not.toBe(gate);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a park without such devices has no file', async () => {
  const [file, parkFile] = [join(folder, 'none.json'), join(folder, 'plain.yaml')];
  await writeFile(parkFile, park());
  expect(await keepDeviceTokens(file, parkFile)).toBe(false);
  expect(existsSync(file)).toBe(false);
});

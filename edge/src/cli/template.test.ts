import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMeterPark } from '../../../tests/support/meters.ts';
import type { Io } from './io.ts';
import { register } from './template.ts';

const folder = mkdtempSync(join(tmpdir(), 'parkline-template-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command in this process, in a folder where there is no gateway. */
async function template(...args: string[]): Promise<Ran> {
  const ran = { status: 0, stdout: '', stderr: '' };
  const io: Io = {
    out: (text) => (ran.stdout += text),
    err: (text) => (ran.stderr += text),
    env: { XDG_STATE_HOME: join(folder, 'state') },
    cwd: folder,
  };
  const command = new Command('parkline').exitOverride();
  command.configureOutput({ writeOut: io.out.bind(io), writeErr: io.err.bind(io) });
  register(command, io);
  const before = process.exitCode;
  try {
    process.exitCode = 0;
    await command.parseAsync(['template', ...args], { from: 'user' });
    ran.status = Number(process.exitCode);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    ran.status = error instanceof CommanderError ? 2 : 1;
    ran.stderr += error.message;
  } finally {
    process.exitCode = before;
  }
  return ran;
}

const own = (points: string): string => `
id: water-meter/shop-one
kind: water-meter
vendor: Shop
model: One
name: { en: Shop water meter, zh: 商铺水表 }
source: The meter on the wall
protocol: cjt188
params: { type: '10' }
points:
${points}`;
const point = (key: string, address: string, more = ''): string =>
  `  - { key: ${key}, name: { en: ${key}, zh: 点 }, unit: '1', kind: state, address: '${address}', scale: 1,
      resolution: 1, decimals: 0, deadband: 0, pollMs: 1000, heartbeatMs: 1000, brick: X, tags: [a]${more} }\n`;
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

describe('without a device', () => {
  test('list shows the templates, or those of a kind and protocol', async () => {
    const all = await template('list', '--json');
    expect((JSON.parse(all.stdout) as unknown[]).length).toBeGreaterThan(15);
    const { stdout } = await template('list', '--kind', 'three-phase-meter', '--protocol', 'dlt645');
    expect(stdout.split('\n')[1]).toMatch(/^three-phase-meter\/generic-dlt645 +dlt645 +17 +0 /);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  test('show says what may be written and by how many', async () => {
    const { stdout } = await template('show', 'gate/generic-mqtt');
    expect(stdout).toMatch(/barrier_open .* 0 to 1, by two people/);
    const { stdout: json } = await template('show', 'vav/generic-bacnet', '--json');
    expect(JSON.parse(json)).toMatchObject({ id: 'vav/generic-bacnet', protocol: 'bacnet' });
  });

  test('try --dry finds a template sound', async () => {
    const sound = file('sound.yaml', own(point('valve_state', '901F:valve')));
    expect(await template('try', sound, '--dry')).toEqual({
      ...{ status: 0, stdout: 'water-meter/shop-one: sound, 1 points\n', stderr: '' },
    });
  });

  test.each([
    [
      'faults, all at once',
      own(point('a', '901F:x', ', colour: red') + point('a', '', '')),
      /colour|additional[\s\S]*address/,
    ],
    [
      'a gate that needs one person',
      own(
        point('a', 'x', ", states: { '0': { en: a, zh: 甲 } }, write: { min: 0, max: 1, step: 1 }"),
      ).replaceAll('water-meter', 'gate'),
      /safety: true/,
    ],
    ['no YAML', 'id: [', /flow|YAML|collection/i],
    ['no id', 'kind: gate', /no id/],
  ])('try --dry refuses %s', async (_what, text, why) => {
    const { status, stderr, stdout } = await template('try', file('bad.yaml', text), '--dry');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(why);
  });

  test('try --dry --json prints the faults as data', async () => {
    const text = own(point('a', '901F:x', ', colour: red') + point('b', '901F:y', ', decimal: 1'));
    const { status, stdout } = await template('try', file('bad.yaml', text), '--dry', '--json');
    expect(status).toBe(1);
    expect((JSON.parse(stdout) as { faults: string[] }).faults.length).toBeGreaterThanOrEqual(2);
  });

  test.each([
    [['try', 'three-phase-meter/none', '--dry'], 1, /no template .*; there are/],
    [['try', 'missing.yaml', '--dry'], 1, /there is no file missing.yaml/],
    [['try', 'gate/generic-mqtt', '--rounds', '0'], 2, /whole number/],
    [['try', 'three-phase-meter/generic-dlt645'], 1, /where is the meter/],
    [
      ['try', 'three-phase-meter/generic-dlt645', '--connection', '{', '--device', '{}'],
      1,
      /--connection is not JSON/,
    ],
  ])('%j fails with %i', async (args, status, why) => {
    const ran = await template(...args);
    expect(ran.status).toBe(status);
    expect(ran.stderr).toMatch(why);
  });
});

describe('on a device', () => {
  let park: Awaited<ReturnType<typeof startMeterPark>>;
  beforeAll(async () => {
    park = await startMeterPark();
  });
  afterAll(() => park.stop());
  const on = (bus: string, device: object): string[] => [
    ...['--connection', JSON.stringify({ transport: 'tcp', timeoutMs: 300, ...park.ports[bus] })],
    ...['--device', JSON.stringify(device)],
  ];
  const meter = { address: '000031000002' };

  test('reads every point once, with value, unit and address: exit 0', async () => {
    const ran = await template('try', 'three-phase-meter/generic-dlt645', ...on('r-power', meter));
    expect([ran.status, ran.stderr]).toEqual([0, '17 of 17 points good\n']);
    expect(ran.stdout).toMatch(/active_energy_import +Active energy import +\d+(\.\d+)? kWh +good +00010000/);
    expect(ran.stdout).toMatch(/voltage_l1_n +Voltage L1-N +2\d\d(\.\d)? V +good +02010100/);
    expect(park.served.filter(({ device }) => device === 'r-shop-1')).toHaveLength(17);
  });

  test('names what the values of a state mean, and counts rounds in JSON', async () => {
    const { stdout, status } = await template(
      ...['try', 'water-meter/generic-cjt188', ...on('r-pipes', { address: '33780015059001' })],
      ...['--rounds', '2', '--every', '0', '--json'],
    );
    expect(status).toBe(0);
    const { points } = JSON.parse(stdout) as { points: object[] };
    expect(points).toMatchObject([
      { key: 'volume', unit: 'm³', quality: 'good', goodRounds: 2 },
      { key: 'volume_settled', value: 0 },
      { key: 'valve_state', value: 0, state: 'open' },
      { key: 'battery_low', value: 0, state: 'normal' },
    ]);
  });

  test('a file of one’s own with a point that is not there: exit 3, and why', async () => {
    const name = file('half.yaml', own(point('valve_state', '901F:valve') + point('leak', '901F:leak')));
    const ran = await template('try', name, ...on('r-pipes', { address: '33780015059001' }));
    expect([ran.status, ran.stderr]).toEqual([3, '1 of 2 points good\n']);
    expect(ran.stdout).toMatch(
      /leak +leak +— +bad: no '901F:leak' in a meter of type 10; there are 901F:volume/,
    );
  });

  test('no point good, or no answer: exit 1', async () => {
    const name = file('none.yaml', own(point('leak', '901F:leak')));
    expect(await template('try', name, ...on('r-pipes', { address: '33780015059001' }))).toMatchObject({
      ...{ status: 1, stderr: '0 of 1 points good\n' },
    });
    const nobody = { address: '000099999999' };
    const silent = await template('try', 'three-phase-meter/generic-dlt645', ...on('r-power', nobody));
    expect([silent.status, silent.stdout]).toEqual([1, '']);
    expect(silent.stderr).toMatch(/no answer in 300 ms[\s\S]*check the address/);
  });

  test.each([
    ['fcu/generic-bacnet', 3_101, 9],
    ['boiler/generic-bacnet', 3_102, 10],
  ])('%s fits the simulated device', async (id, device, points) => {
    const place = park.ports['r-plant'];
    const connection = { host: '127.0.0.1', port: 0, whoIs: [place] };
    const links = ['--connection', JSON.stringify(connection), '--device', JSON.stringify({ device })];
    const ran = await template('try', id, ...links);
    expect([ran.status, ran.stderr]).toEqual([0, `${points} of ${points} points good\n`]);
  });

  test('a device that the driver does not understand is named: exit 1', async () => {
    const ran = await template('try', 'three-phase-meter/generic-dlt645', ...on('r-power', { unit: 3 }));
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/address/);
  });
});

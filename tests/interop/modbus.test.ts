// Modbus with software that is not ours: mbpoll asks the simulator, the driver asks servers made of libmodbus and pymodbus.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, FoundDevice, PointRef } from '@parkline/kit';
import { driver } from '@parkline/modbus';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { run } from '../../deploy/local/machine.ts';
import { startPtyPair } from '../support/pty-pair.ts';
import { startSerialBench } from '../support/serial-bench.ts';
import { startBench } from '../support/simulator.ts';
import { compileWithLibmodbus, findProgram, findPymodbus } from './peers.ts';

const never = (): AbortSignal => new AbortController().signal;
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const folder = await mkdtemp(join(tmpdir(), 'interop-modbus-'));
afterAll(() => rm(folder, { recursive: true }));
const mbpoll = await findProgram('mbpoll');
const libmodbus = await compileWithLibmodbus(
  [join(import.meta.dirname, 'libmodbus-server.c')],
  join(folder, 'libmodbus-server'),
);
const pymodbus = await findPymodbus();
const pair = await startPtyPair();
const cable = 'why' in pair ? pair : undefined;
if (!('why' in pair)) await pair.close();
/** The name of a suite that says why it is not run. */
const titled = (name: string, ...faults: (string | undefined)[]): string => {
  const why = faults.find((fault) => fault !== undefined);
  return why === undefined ? name : `${name} (NOT RUN: ${why})`;
};

const point = (address: string): PointRef => ({ pointId: address, address, scale: 1, kind: 'gauge' });

function connect(params: object): Connection {
  const connection = driver.openConnection(
    { timeoutMs: 3_000, ...params },
    { now: Date.now, log, dataDir: folder },
  );
  endings.push(() => connection.close());
  return connection;
}

async function shown(connection: Connection, unit: number, addresses: readonly string[]): Promise<unknown[]> {
  const samples = await connection.device({ unit }).read(addresses.map(point), never());
  return samples.map(({ value, why }) => value ?? why);
}

async function written(
  connection: Connection,
  unit: number,
  address: string,
  value: number,
): Promise<unknown> {
  const result = await connection.device({ unit }).write!({ ref: point(address), value }, never());
  return [result.state, result.readBack];
}

/** Starts a server and gives the first word it says: a port, or "ready". */
async function serve(file: string, args: readonly string[], env = process.env): Promise<string> {
  const child: ChildProcess = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  endings.push(async () => {
    if (child.exitCode !== null) return;
    const over = once(child, 'exit');
    child.stdin!.end();
    await over;
  });
  const said = await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')]);
  return String(said[0]).trim();
}

describe.skipIf(!mbpoll.ok)(titled('mbpoll asks the simulator', mbpoll.ok ? undefined : mbpoll.why), () => {
  /** Lines "[reference]: value" of one poll, by reference; numbering from 0. */
  async function poll(way: readonly string[], options: readonly string[], values: readonly string[] = []) {
    const path = mbpoll.ok ? mbpoll.path : '';
    const { stdout } = await run(path, [...options, '-0', '-1', '-o', '3', ...way, ...values], {
      timeoutMs: 15_000,
    });
    const lines = [...stdout.matchAll(/^\[(\d+)\]:\s+(\S+)/gm)];
    return lines.length > 0 ? lines.map(([, at, value]) => [Number(at), value]) : stdout;
  }

  test('on TCP: all four tables, numbers of 16 and 32 bits', async () => {
    const bench = await startBench({ transport: 'tcp', buses: { line: [3] } });
    endings.push(() => bench.stop());
    const way = ['-a', '3', '-p', String(bench.ports['line']!.port), '127.0.0.1'];
    expect(await poll(way, ['-t', '4', '-r', '0', '-c', '2'])).toEqual([
      [0, '65535'],
      [1, '65534'],
    ]);
    expect(await poll(way, ['-t', '4:int', '-r', '6', '-c', '1', '-B'])).toEqual([[6, '-123456789']]);
    expect(await poll(way, ['-t', '4:float', '-r', '16', '-c', '1', '-B'])).toEqual([[16, '230.1']]);
    expect(await poll(way, ['-t', '4:float', '-r', '18', '-c', '1'])).toEqual([[18, '-0.1']]);
    expect(await poll(way, ['-t', '3', '-r', '10', '-c', '1'])).toEqual([[10, '31']]);
    expect(await poll(way, ['-t', '0', '-r', '5', '-c', '2'])).toEqual([
      [5, '1'],
      [6, '0'],
    ]);
    expect(await poll(way, ['-t', '1', '-r', '20', '-c', '1'])).toEqual([[20, '1']]);
  });

  test('on TCP: writes of a register, of several and of coils', async () => {
    const bench = await startBench({ transport: 'tcp', buses: { line: [3] }, table: 'test-bench/writable' });
    endings.push(() => bench.stop());
    const way = ['-a', '3', '-p', String(bench.ports['line']!.port), '127.0.0.1'];
    await poll(way, ['-t', '4', '-r', '7'], ['4711']);
    await poll(way, ['-t', '4', '-r', '8'], ['1', '2', '3']);
    await poll(way, ['-t', '0', '-r', '4'], ['1', '0', '1']);
    expect(await poll(way, ['-t', '4', '-r', '7', '-c', '4'])).toEqual([
      [7, '4711'],
      [8, '1'],
      [9, '2'],
      [10, '3'],
    ]);
    expect(await poll(way, ['-t', '0', '-r', '3', '-c', '4'])).toEqual([
      [3, '0'],
      [4, '1'],
      [5, '0'],
      [6, '1'],
    ]);
    expect(bench.served.map(({ fc }) => fc)).toEqual([6, 16, 15, 3, 1]);
  });

  test.skipIf(cable)(titled('on a serial line', cable?.why), async () => {
    const bench = await startBench({ transport: 'rtu-over-tcp', buses: { line: [3] } });
    endings.push(() => bench.stop());
    const port = await startSerialBench(bench.ports['line']!);
    if ('why' in port) throw new Error(port.why);
    endings.push(() => port.close());
    const way = ['-m', 'rtu', '-b', '115200', '-P', 'none', '-a', '3', port.path];
    expect(await poll(way, ['-t', '4:float', '-r', '16', '-c', '1', '-B'])).toEqual([[16, '230.1']]);
  });
});

/** What libmodbus-server.c shows, read and written by the driver. */
async function tryLibmodbus(connection: Connection, unit: number): Promise<void> {
  expect(
    await shown(connection, unit, [
      'hr:0:u16',
      'hr:999:u16',
      'ir:20:u16',
      'co:3',
      'co:4',
      'di:10',
      'hr:500:f32',
      'hr:502:f32:CDAB',
      'hr:504:f32:BADC',
      'hr:506:f32:DCBA',
      'hr:1000:u16',
    ]),
  ).toEqual([0, 999, 10_020, 1, 0, 1, 230.1, 230.1, 230.1, 230.1, 'illegal data address']);
  for (const [address, value] of [
    ['co:7', 1],
    ['hr:100:i16', -40],
    ['hr:102:f32:BADC', 21.7],
    ['hr:104:i64:CDAB', -9_007_199_254_740_991],
    ['hr:110:f64', Math.PI],
    ['hr:120:bcd32', 20_261_122],
    ['hr:130:bits:4-7', 11],
  ] as const)
    expect([address, await written(connection, unit, address, value)]).toEqual([address, ['done', value]]);
  expect(await shown(connection, unit, ['hr:130:u16', 'co:7'])).toEqual([(130 & ~0xf0) | 0xb0, 1]);
  await expect(written(connection, unit, 'hr:1000:u16', 1)).rejects.toMatchObject({ code: 'refused' });
}

const noLibmodbus = libmodbus.ok ? undefined : libmodbus.why;
describe.skipIf(!libmodbus.ok)(titled('the driver asks a libmodbus server', noLibmodbus), () => {
  const program = libmodbus.ok ? libmodbus.path : '';

  test('on TCP: every table and order, every write, its server id', async () => {
    const port = Number(await serve(program, ['tcp', '0']));
    const connection = connect({ transport: 'tcp', host: '127.0.0.1', port });
    await tryLibmodbus(connection, 1);
    const found = [];
    for await (const item of connection.device({ unit: 1 }).browse(never())) found.push(item);
    expect(found).toMatchObject([
      { address: 'id:serverId', facts: { value: expect.stringContaining('LMB') as string } },
    ]);
  });

  test.skipIf(cable)(titled('on a serial line', cable?.why), async () => {
    const line = await startPtyPair();
    if ('why' in line) throw new Error(line.why);
    endings.push(() => line.close());
    expect(await serve(program, ['rtu', line.far, '38400', '17'])).toBe('ready');
    await tryLibmodbus(connect({ transport: 'rtu', path: line.near, baudRate: 38_400 }), 17);
  });
});

const noPymodbus = pymodbus.ok ? undefined : pymodbus.why;
describe.skipIf(!pymodbus.ok)(titled('the driver asks a pymodbus server', noPymodbus), () => {
  const script = join(import.meta.dirname, 'pymodbus-server.py');
  const python = pymodbus.ok ? pymodbus.python : '';
  const env = pymodbus.ok ? pymodbus.env : {};

  async function tryPymodbus(connection: Connection, unit: number): Promise<void> {
    expect(await shown(connection, unit, ['hr:7:u16', 'ir:250:u16', 'co:3', 'di:4'])).toEqual([
      1007, 1250, 1, 0,
    ]);
    expect(await written(connection, unit, 'hr:20:f32', 21.7)).toEqual(['done', 21.7]);
    expect(await written(connection, unit, 'hr:30:u16', 12_345)).toEqual(['done', 12_345]);
    expect(await written(connection, unit, 'hr:31:bit:9', 1)).toEqual(['done', 1]);
    expect(await written(connection, unit, 'co:9', 0)).toEqual(['done', 0]);
    expect(await shown(connection, unit, ['hr:31:u16', 'hr:5000:u16'])).toEqual([
      1031 | 0x200,
      'illegal data address',
    ]);
  }

  test('on TCP, and finds its units with what they say they are', async () => {
    const port = Number(await serve(python, [script, 'tcp'], env));
    const connection = connect({ transport: 'tcp', host: '127.0.0.1', port });
    await tryPymodbus(connection, 5);
    const found: FoundDevice[] = [];
    for await (const device of connection.discover!({ from: 4, to: 10 }, never())) found.push(device);
    expect(found.map(({ params }) => params)).toEqual([{ unit: 5 }, { unit: 9 }]);
    expect(found[0]).toMatchObject({
      label: 'Pymodbus Pymodbus Server',
      facts: { vendor: 'Pymodbus', product: 'PM', revision: '3.8', model: 'Interop' },
    });
  });

  test.skipIf(cable)(titled('on a serial line', cable?.why), async () => {
    const line = await startPtyPair();
    if ('why' in line) throw new Error(line.why);
    endings.push(() => line.close());
    expect(await serve(python, [script, 'rtu', line.far, '19200', '6'], env)).toBe('ready');
    await tryPymodbus(connect({ transport: 'rtu', path: line.near, baudRate: 19_200, parity: 'none' }), 6);
  });
});

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { afterEach, expect, test } from 'vitest';
import { makeHome } from '../testing/home.ts';
import { scratch } from '../testing/scratch.ts';
import { register } from './config.ts';

const yaml = `
version: 1
gatewayId: 018f0000-0000-7000-8000-000000000001
name: Alone
nats: { url: 'nats://127.0.0.1:9' }
connections: []
`;
const device = `connections:
  - id: bus
    driver: modbus
    params: { transport: tcp, host: 127.0.0.1, port: 9 }
    devices: [{ equipmentId: 018f0000-0000-7000-8000-000000000002, name: Nobody, params: { unit: 1 }, points: [] }]`;

afterEach(() => {
  process.exitCode = undefined;
});

async function run(home: string, ...args: string[]) {
  process.exitCode = undefined;
  const text = { out: '', err: '' };
  const io = {
    out: (more: string) => void (text.out += more),
    err: (more: string) => void (text.err += more),
    ...{ env: {}, cwd: home },
  };
  const program = new Command('parkline').exitOverride();
  register(program, io);
  await program.parseAsync(['config', ...args], { from: 'user' });
  return { ...text, code: process.exitCode ?? 0 };
}

/** A gateway as a process; `stop` waits for its end. */
async function startGateway(home: string): Promise<() => Promise<void>> {
  const program = join(import.meta.dirname, '../main.ts');
  const child = spawn(process.execPath, [program, '--home', home]);
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  for await (const line of createInterface(child.stdout)) if (line.includes('"msg":"ready"')) break;
  child.stdout.resume();
  return () => {
    child.kill('SIGTERM');
    return ended;
  };
}

test('a running gateway takes the file, and the command waits for its verdict; the way back is open', async () => {
  using home = scratch();
  makeHome(home.path, yaml);
  const next = yaml.replace('connections: []', device);
  writeFileSync(join(home.path, 'next.yaml'), next);
  const stop = await startGateway(home.path);
  try {
    expect(await run(home.path, 'apply', 'next.yaml', '--yes')).toMatchObject({
      code: 0,
      out: '+ connection bus (modbus)\n+ device 018f0000-0000-7000-8000-000000000002 (Nobody)\nkept as version 2\n',
    });
    expect(readFileSync(join(home.path, 'gateway.yaml'), 'utf8')).toBe(next);
    const { versions } = JSON.parse((await run(home.path, 'history', '--json')).out) as {
      versions: { source: string; state: string }[];
    };
    expect(versions.map(({ source, state }) => `${source} ${state}`)).toEqual([
      ...['file kept', 'local kept'],
    ]);
  } finally {
    await stop();
  }
  const back = await run(home.path, 'rollback', '--yes', '--json');
  expect(JSON.parse(back.out)).toMatchObject({ state: 'waiting', changes: { length: 2 } });
  expect(readFileSync(join(home.path, 'config/inbox.yaml'), 'utf8')).toBe(yaml);
}, 60_000);

test('without a running gateway the file waits for its start', async () => {
  using home = scratch();
  makeHome(home.path, yaml);
  writeFileSync(join(home.path, 'next.yaml'), yaml.replace('Alone', 'Named'));
  const { code, out } = await run(home.path, 'apply', 'next.yaml', '--yes');
  expect({ code, out }).toEqual({
    code: 0,
    out: '~ setting name\n    name: "Alone" -> "Named"\nno gateway runs here: on trial when it starts\n',
  });
  expect(readFileSync(join(home.path, 'config/inbox.yaml'), 'utf8')).toContain('Named');
  expect(readFileSync(join(home.path, 'gateway.yaml'), 'utf8')).toBe(yaml);
});

test('a dry run and a difference change nothing, and nobody is asked who is not there', async () => {
  using home = scratch();
  makeHome(home.path, yaml);
  writeFileSync(join(home.path, 'next.yaml'), yaml.replace('Alone', 'Named'));
  expect((await run(home.path, 'diff', 'next.yaml')).out).toContain('"Alone" -> "Named"');
  expect(JSON.parse((await run(home.path, 'apply', 'next.yaml', '--dry-run', '--json')).out)).toMatchObject({
    ...{ state: 'dry run', changes: [{ how: 'change', what: 'setting', id: 'name' }] },
  });
  expect((await run(home.path, 'apply', 'gateway.yaml')).code).toBe(0);
  await expect(run(home.path, 'apply', 'next.yaml')).rejects.toThrow('say --yes');
  await expect(run(home.path, 'rollback', '--yes')).rejects.toThrow('no version to go back to');
  await expect(run(home.path, 'show', '7')).rejects.toThrow('version 7 is not kept');
  expect(readFileSync(join(home.path, 'gateway.yaml'), 'utf8')).toBe(yaml);
});

test('a file with faults is refused with all of them, and so is the file of another gateway', async () => {
  using home = scratch();
  makeHome(home.path, yaml);
  writeFileSync(
    join(home.path, 'bad.yaml'),
    yaml.replace('version: 1', 'version: 2').replace('name:', 'nome:'),
  );
  await expect(run(home.path, 'apply', 'bad.yaml', '--yes')).rejects.toThrow(/nome.*version/s);
  writeFileSync(join(home.path, 'other.yaml'), yaml.replace('000000000001', '000000000009'));
  await expect(run(home.path, 'apply', 'other.yaml', '--yes')).rejects.toThrow('it is for gateway');
});

test('a file that somebody broke in place is told apart from the one that is offered', async () => {
  using home = scratch();
  makeHome(home.path, `${yaml}bogus: 1\n`);
  writeFileSync(join(home.path, 'next.yaml'), yaml);
  await expect(run(home.path, 'apply', 'next.yaml', '--yes')).rejects.toThrow(
    /gateway\.yaml is faulty itself: .*bogus; correct it first/,
  );
});

// mosquitto and its clients, and our driver beside them: what the tests of the MQTT driver share.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Connection, Driver, PointRef } from '@parkline/kit';
import { driver as mqtt } from '@parkline/mqtt';
import { describe, expect } from 'vitest';
import { freePort } from '../support/mqtt.ts';
import { findProgram } from './peers.ts';

const programs = ['mosquitto', 'mosquitto_pub', 'mosquitto_sub', 'mosquitto_passwd'] as const;
type Program = (typeof programs)[number];
type Client = 'mosquitto_pub' | 'mosquitto_sub';

const peers = await Promise.all(programs.map(findProgram));
const why = peers.find((one) => !one.ok)?.why ?? '';

export const host = '127.0.0.1';
/** For what comes as soon as the machine has time for it. */
export const patience = { timeout: 15_000 };
export const never = new AbortController().signal;

/** A `describe` that is skipped, with the reason in its name, where this machine cannot have mosquitto. */
export function describeWithMosquitto(name: string, tests: () => void): void {
  describe.skipIf(why !== '')(`${name}${why && ` (no peer: ${why})`}`, tests);
}

export function pathOf(program: Program): string {
  const peer = peers[programs.indexOf(program)]!;
  return peer.ok ? peer.path : '';
}

export const point = (address: string, over: Partial<PointRef> = {}): PointRef => ({
  ...{ pointId: address, address, scale: 1, kind: 'gauge' },
  ...over,
});

/** The value of one point, or the code of the error that stands for it. */
export async function read(driver: Driver, address: string): Promise<unknown> {
  try {
    const [sample] = await driver.read([point(address)], never);
    return sample?.value;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

export const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, host)
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', () => resolve(false));
  });

/** A program that goes on until the bench ends. */
export interface Kept {
  /** What it printed so far. */
  readonly lines: readonly string[];
  readonly child: ChildProcess;
}

/** A folder, a port for the one broker of the test, and whatever was started there. */
export interface MosquittoBench {
  readonly folder: string;
  readonly port: number;
  /** Runs a client against the port to its end. `options`: as in a shell, none with a space in it. */
  run(client: Client, options: string): Promise<{ readonly code: number; readonly text: string }>;
  /** The same for a client that goes on. */
  keep(client: Client, options: string): Kept;
  /** A connection of our driver, and what it warned of. */
  open(params: object): { readonly connection: Connection; readonly warned: readonly string[] };
  /** Starts mosquitto with these lines of configuration and waits for its port. */
  startBroker(...lines: readonly string[]): Promise<void>;
  end(): Promise<void>;
}

/** @param port One that is free when absent. */
export async function createMosquittoBench(port?: number): Promise<MosquittoBench> {
  const place = port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'parkline-interop-'));
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const clientOptions = (options: string): string[] => [
    ...['-h', host, '-p', String(place)],
    ...options.split(' '),
  ];

  function keepProgram(program: Program, options: readonly string[]): Kept {
    const child = spawn(pathOf(program), options, { stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    createInterface(child.stderr).on('line', (line) => lines.push(line));
    ends.push(() => endOf(child));
    return { lines, child };
  }

  return {
    folder,
    port: place,
    async run(client, options) {
      const child = spawn(pathOf(client), clientOptions(options));
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number];
      return { code, text };
    },
    keep: (client, options) => keepProgram(client, clientOptions(options)),
    open(params) {
      const { connection, warned } = openDriver(params, join(folder, 'driver'));
      ends.push(() => connection.close());
      return { connection, warned };
    },
    async startBroker(...lines) {
      const file = join(folder, 'mosquitto.conf');
      const user = process.getuid?.() === 0 ? ['user root'] : [];
      const settings = [
        `listener ${place} ${host}`,
        ...lines,
        'persistence false',
        'log_type error',
        ...user,
      ];
      writeFileSync(file, `${settings.join('\n')}\n`);
      const { lines: said } = keepProgram('mosquitto', ['-c', file]);
      await expect.poll(() => isOpen(place), { ...patience, message: said.join('\n') }).toBe(true);
    },
    async end() {
      for (const end of ends.toReversed()) await end();
    },
  };
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function openDriver(params: object, dataDir: string): { connection: Connection; warned: string[] } {
  const warned: string[] = [];
  const quiet = (): void => undefined;
  const log = {
    debug: quiet,
    info: quiet,
    warn: (_facts: object, message: string) => void warned.push(message),
  };
  return {
    connection: mqtt.openConnection({ timeoutMs: 200, ...params }, { now: Date.now, log, dataDir }),
    warned,
  };
}

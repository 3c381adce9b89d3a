import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { portalPort, stablePorts } from './ports.ts';

let folder: string;
const servers: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parkline-ports-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true, force: true });
});

function occupy(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}

test('ports stay the same from start to start, but for one that somebody took', async () => {
  const file = join(folder, 'ports.json');
  const first = await stablePorts(file);
  expect(await stablePorts(file)).toEqual(first);
  await occupy(first.nats);
  const next = await stablePorts(file);
  expect(next.nats).not.toBe(first.nats);
  expect(next.postgres).toBe(first.postgres);
});

test('a taken portal port is refused with the way out', async () => {
  const port = await portalPort(0, '127.0.0.1');
  expect(await portalPort(port, '127.0.0.1')).toBe(port);
  await occupy(port);
  await expect(portalPort(port, '127.0.0.1')).rejects.toThrow(`port ${port} is in use`);
});

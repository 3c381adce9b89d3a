import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { LogFile } from './log-file.ts';
import { createSupervisor, pauseMs, type Service, type Supervisor } from './supervisor.ts';

const lines: string[] = [];
const log: LogFile = {
  write: (text) => void lines.push(text),
  tail: () => lines.join(''),
  close: () => Promise.resolve(),
};
const notices: string[] = [];
const pauses: number[] = [];
let pids: ReadonlyMap<string, number> = new Map();

function supervisor(): Supervisor {
  lines.length = notices.length = pauses.length = 0;
  return createSupervisor({
    openLog: () => Promise.resolve(log),
    notice: (text) => void notices.push(text),
    onPids: (now) => (pids = now),
    wait: async (ms) => void pauses.push(ms),
    now: Date.now,
  });
}

const service = (name: string, script: string, over: Partial<Service> = {}): Service => ({
  name,
  stage: 'cloud',
  command: { file: process.execPath, args: ['-e', script], env: process.env },
  ready: (running) => new Promise((resolve) => running.onLine((line) => line.includes('ready') && resolve())),
  readyWithinMs: 10_000,
  stopSignal: 'SIGTERM',
  stopWithinMs: 500,
  ...over,
});
const steady = `console.log('ready'); setInterval(() => {}, 1000);`;

let running: Supervisor | undefined;
afterEach(() => running?.kill());

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

test('a service that is killed comes back', async () => {
  running = supervisor();
  await running.run(service('steady', steady));
  const first = pids.get('steady')!;
  process.kill(first, 'SIGKILL');
  await until(() => notices.includes('steady is back'));
  expect(pids.get('steady')).not.toBe(first);
  expect(pauses).toEqual([250]);
  await running.stop();
  expect(pids.size).toBe(0);
});

test('a service that ends before it was ready fails the start with its last words', async () => {
  running = supervisor();
  await expect(running.run(service('broken', `console.error('no config'); process.exit(1)`))).rejects.toThrow(
    /broken ended while starting:\nno config/,
  );
});

test('a program that does not exist fails the start', async () => {
  running = supervisor();
  const missing = service('missing', '', { command: { file: '/no/such/program', args: [], env: {} } });
  await expect(running.run(missing)).rejects.toThrow(/missing ended while starting/);
});

test('stages stop in reverse order, and one that ignores the signal is killed', async () => {
  running = supervisor();
  const order: string[] = [];
  const sayBye = (name: string) =>
    `process.on('SIGTERM', () => { console.log('bye ${name}'); process.exit(0); }); ${steady}`;
  await running.run(service('gateway', sayBye('gateway'), { stage: 'field' }));
  await running.run(service('stubborn', `process.on('SIGTERM', () => {}); ${steady}`));
  await running.run(service('database', sayBye('database'), { stage: 'database' }));
  const began = Date.now();
  await running.stop();
  order.push(...lines.filter((line) => line.startsWith('bye')));
  expect(order).toEqual(['bye gateway\n', 'bye database\n']);
  expect(Date.now() - began).toBeLessThan(2000);
});

test.each([
  [0, 250],
  [1, 500],
  [20, 30_000],
])('after %i failures in a row the pause is %i ms', (failures, expected) => {
  expect(pauseMs(failures)).toBe(expected);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { followFlags } from './node-service.ts';

let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));

/** Runs `script` and, when it has printed something, closes the pipe that only its starter holds. */
async function orphaned(script: string): Promise<{ code: number | null; signal: string | null; ms: number }> {
  child = spawn(process.execPath, [...followFlags, '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
  const began = Date.now();
  child.stdin!.destroy();
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { code, signal, ms: Date.now() - began };
}

test('a process whose starter is gone stops as on SIGTERM', async () => {
  const script = `process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('up');`;
  expect(await orphaned(script)).toMatchObject({ code: 7 });
});

test('one that hangs while stopping is killed after 5 s', { timeout: 15_000 }, async () => {
  const script = `process.on('SIGTERM', () => { for (;;); }); setInterval(() => {}, 1000); console.log('up');`;
  const { signal, ms } = await orphaned(script);
  expect(signal).toBe('SIGKILL');
  expect(ms).toBeGreaterThan(4500);
});

test('the watch does not keep a process alive that has nothing left to do', async () => {
  child = spawn(process.execPath, [...followFlags, '-e', ''], { stdio: ['pipe', 'pipe', 'inherit'] });
  expect((await once(child, 'exit'))[0]).toBe(0);
});

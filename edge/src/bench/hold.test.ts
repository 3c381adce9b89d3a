import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError, type WriteOrder, type Written } from '@parkline/kit';
import { expect, test } from 'vitest';
import { writeAndGiveBack } from './hold.ts';

const ref = { pointId: 'p', address: 'analog-value,1', scale: 1, kind: 'gauge' } as const;

/** A device that keeps what was written, and whose answer to each write `answer` decides. */
function device(answer: (order: WriteOrder, n: number) => Promise<void> | void) {
  const writes: (number | null)[] = [];
  const write = async (order: WriteOrder): Promise<Written> => {
    writes.push(order.value);
    await answer(order, writes.length);
    return { state: 'done', at: 0, readBack: order.value };
  };
  return { writes, write };
}

const errandFor = (driver: ReturnType<typeof device>, holdS = 60) => ({
  ...{ driver, holdS, back: { value: null } },
  order: { ref, value: 20, priority: 9 },
});

test('a stop while the write is on its way still gives the point back', async () => {
  const stop = new AbortController();
  const driver = device(async () => {
    stop.abort();
    await sleep(5);
  });
  const held = await writeAndGiveBack(errandFor(driver), () => undefined, stop.signal);
  expect([driver.writes, held.released]).toEqual([[20, null], true]);
});

test('a write that nobody answers may have arrived, and is given back', async () => {
  const driver = device((_, n) => {
    if (n === 1) throw new DriverError('timeout', 'no answer', 'device 2001');
  });
  await expect(
    writeAndGiveBack(errandFor(driver), () => undefined, new AbortController().signal),
  ).rejects.toThrow('no answer');
  expect(driver.writes).toEqual([20, null]);
});

test('a write that the device refuses has changed nothing, and nothing more is sent', async () => {
  const driver = device(() => {
    throw new DriverError('refused', 'write access denied', 'device 2001');
  });
  await expect(
    writeAndGiveBack(errandFor(driver), () => undefined, new AbortController().signal),
  ).rejects.toThrow('denied');
  expect(driver.writes).toEqual([20]);
});

test('an answer lost while giving back is asked for again', async () => {
  const driver = device((_, n) => {
    if (n === 2) throw new DriverError('timeout', 'no answer', 'device 2001');
  });
  const held = await writeAndGiveBack(errandFor(driver, 0.01), () => undefined, new AbortController().signal);
  expect([driver.writes, held.released]).toEqual([[20, null, null], true]);
});

test('what was stopped before is not written at all', async () => {
  const driver = device(() => undefined);
  await expect(writeAndGiveBack(errandFor(driver), () => undefined, AbortSignal.abort())).rejects.toThrow(
    'nothing was written',
  );
  expect(driver.writes).toEqual([]);
});

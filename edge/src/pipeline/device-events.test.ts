import { GatewayEvent } from '@parkline/contract';
import { type DeviceEvent, type Driver, DriverError } from '@parkline/kit';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { createDeviceEvents } from './device-events.ts';
import { OutboxError } from './outbox.ts';
import { canTell, runWatchEvents, type TellingDriver } from './watch-events.ts';

const equipmentId = '018f0000-0000-7000-8000-000000000002';
const alarm: DeviceEvent = { at: 5_000, address: 'analog-input,3', state: 'alarm', text: 'high limit' };

function lane() {
  const added: GatewayEvent[] = [];
  const disk = { error: undefined as Error | undefined };
  const faults = rememberingFaults();
  let ids = 0;
  const take = createDeviceEvents({
    events: {
      add(event) {
        if (disk.error) throw disk.error;
        added.push(event);
      },
    },
    newId: () => `018f0000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`,
    now: () => 9_000,
    faults,
  });
  return { added, disk, faults, take };
}

test('what a device reports goes to the cloud as it said it, with a time and a length that can travel', () => {
  const { added, take } = lane();
  take(equipmentId, alarm);
  take(equipmentId, { ...alarm, at: Number.NaN, state: 'normal', text: 'x'.repeat(5_000) });
  expect(added[0]).toMatchObject({ type: 'device-alarm', equipmentId, ...alarm });
  expect(added[1]).toMatchObject({ at: 9_000, state: 'normal', text: 'x'.repeat(1_000) });
  expect(added.every((event) => Value.Check(GatewayEvent, event))).toBe(true);
});

test('a disk that takes none delays events and loses none; a damaged one ends the gateway', () => {
  const { added, disk, faults, take } = lane();
  disk.error = new OutboxError('disk', 'no space left');
  take(equipmentId, alarm);
  take(equipmentId, { ...alarm, state: 'fault' });
  expect(added).toEqual([]);
  disk.error = undefined;
  take(equipmentId, { ...alarm, state: 'normal' });
  expect(added.map((event) => 'state' in event && event.state)).toEqual(['alarm', 'fault', 'normal']);
  expect(faults.lines.at(-1)).toBe('over events of devices are kept again');
  disk.error = new OutboxError('corrupt', 'torn page');
  expect(() => {
    take(equipmentId, alarm);
  }).toThrow('torn page');
});

/** A driver whose watches a test ends. */
function watched() {
  const time = createVirtualTime(0);
  const faults = rememberingFaults();
  const heard: string[] = [];
  const watches: { tell: (event: DeviceEvent) => void; end: (error: Error) => void; signal: AbortSignal }[] =
    [];
  const driver = {
    watchEvents: (tell, signal) =>
      new Promise((_resolve, end) => {
        watches.push({ tell, end, signal });
      }),
  } as Partial<Driver> as TellingDriver;
  const stop = new AbortController();
  const run = (onEvent = ({ text }: DeviceEvent): void => void heard.push(text)) =>
    runWatchEvents(
      { equipmentId, name: 'AHU 1', driver },
      {
        ...{ clock: time.clock, wait: time.wait, random: () => 0.5, faults },
        onEvent: (_id, event) => {
          onEvent(event);
        },
      },
      stop.signal,
    );
  return { time, faults, heard, watches, driver, stop, run };
}

test('a watch that ends is asked for again with growing pauses, and tells no more after its end', async () => {
  const { time, faults, heard, watches, driver, stop, run } = watched();
  expect(canTell(driver)).toBe(true);
  const done = run();
  await time.advance(0);
  watches[0]?.tell(alarm);
  watches[0]?.end(new DriverError('lost', 'no route', 'AHU 1'));
  await time.advance(4_999);
  expect(watches).toHaveLength(1);
  watches[0]?.tell({ ...alarm, text: 'too late' });
  await time.advance(1);
  expect(watches).toHaveLength(2);
  watches[1]?.end(new DriverError('lost', 'no route', 'AHU 1'));
  await time.advance(9_999);
  expect(watches).toHaveLength(2);
  await time.advance(1);
  watches[2]?.tell({ ...alarm, text: 'back' });
  expect(heard).toEqual(['high limit', 'back']);
  expect(faults.lines[0]).toBe('fault device does not report its events no route');
  stop.abort();
  await time.advance(1_000); // The driver does not listen: it is left behind.
  await done;
});

test('what the outbox throws ends the run, and never the library that told', async () => {
  const { time, watches, run } = watched();
  const done = run(() => {
    throw new OutboxError('corrupt', 'torn page');
  });
  const failed = expect(done).rejects.toThrow('torn page');
  await time.advance(0);
  expect(() => {
    watches[0]?.tell(alarm);
  }).not.toThrow();
  await time.advance(1_000);
  await failed;
});

import { beforeEach, expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
import { beat } from './beat.ts';
import { planOf } from './run-faults.ts';
import {
  type FaultPark,
  givenFaultPark,
  type TestClock,
  testClock,
  testWorker,
  type TestWorker,
} from './testing.ts';

const { owner, worker: db, pool } = await clonedDatabase();
const ownerPool = pool();
let clock: TestClock;
let park: FaultPark;
let worker: TestWorker;
beforeEach(async () => {
  clock = testClock();
  park = await givenFaultPark(ownerPool, clock);
  worker = testWorker(db, park, clock);
  await park.heard();
});

const episodes = () =>
  owner
    .selectFrom('fault')
    .select(['rule', 'clearedAt', 'clearedWhy'])
    .where('accountId', '=', park.accountId)
    .orderBy('id')
    .execute();

test('a process that does not know a device yet leaves the fault that another one found there', async () => {
  const older = await planOf(db, worker.rules, park.accountId);
  await park.set(await park.add('leak-sensor', 'leak'), { leak: 1 });
  await worker.run(6);
  await beat(worker.deps, park.accountId, older);
  await worker.run(6);
  expect(await episodes()).toEqual([{ rule: 'water-leak', clearedAt: null, clearedWhy: null }]);
});

test('a fault of a device that is not looked at any more is over', async () => {
  const leak = await park.add('leak-sensor', 'leak');
  await park.set(leak, { leak: 1 });
  await worker.run(6);
  await ownerPool.query('delete from point_latest where account_id = $1', [park.accountId]);
  await ownerPool.query('delete from point where equipment_id = $1', [leak]);
  await worker.run(1);
  expect(await episodes()).toMatchObject([{ rule: 'water-leak', clearedWhy: 'rule_off' }]);
});

test('a clock that is set back by an hour delays a fault by no more than its own time', async () => {
  const leak = await park.add('leak-sensor', 'leak');
  await park.set(leak, { leak: 1 });
  await worker.run(3);
  clock.at -= 3_600_000;
  await ownerPool.query('delete from point_latest where account_id = $1', [park.accountId]);
  await park.set(leak, { leak: 1 });
  await worker.run(6);
  expect(await episodes()).toMatchObject([{ rule: 'water-leak', clearedAt: null }]);
});

test('the same temperature before and after a silence of hours is no frozen sensor', async () => {
  const zones: string[] = [];
  for (let i = 0; i < 5; i += 1) zones.push(await park.add('vav', `vav-${i}`));
  const say = async (first: number, others: number) => {
    for (const [i, zone] of zones.entries())
      await park.set(zone, {
        ...{ zone_air_temperature: i === 0 ? first : others + i / 10, occupied: 1 },
        zone_air_temperature_setpoint: 22,
      });
  };
  await say(22, 22);
  await worker.run(2);
  clock.at += 7_200_000;
  await say(22, 21);
  await worker.run(2);
  expect(await episodes()).toEqual([]);
});

import { beforeEach, describe, expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
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
    .select(['id', 'rule', 'subjectId', 'openedAt', 'clearedAt', 'clearedWhy', 'causeId', 'evidence'])
    .where('accountId', '=', park.accountId)
    .orderBy('id')
    .execute();
const rulesOpen = async () =>
  (await episodes()).filter(({ clearedAt }) => !clearedAt).map(({ rule }) => rule);

describe('an air handling unit', () => {
  let ahu: string;
  beforeEach(async () => {
    ahu = await park.add('ahu', 'ahu-1', park.floors[1], park.floors);
    await park.set(ahu, { supply_fan_command: 1, supply_fan_status: 1 });
    await park.set(ahu, { supply_air_temperature: 14, supply_air_temperature_setpoint: 14 });
    await park.set(ahu, { cooling_valve_command: 40, cooling_valve_position: 40 });
  });

  test('whose fan stops is at fault after 20 s, once, and not for 19', async () => {
    await worker.run(2);
    await park.set(ahu, { supply_fan_status: 0 });
    await worker.run(20);
    expect(await episodes()).toEqual([]);
    await worker.run(1);
    expect(await episodes()).toMatchObject([
      { rule: 'ahu-supply-fan-fails', subjectId: ahu, openedAt: clock.now(), clearedAt: null },
    ]);
    await worker.run(30);
    expect(await episodes()).toHaveLength(1);

    await park.set(ahu, { supply_fan_status: 1 });
    await worker.run(11);
    expect(await episodes()).toMatchObject([{ clearedAt: clock.now(), clearedWhy: 'recovered' }]);
  });

  test('whose status flaps has one episode', async () => {
    await park.set(ahu, { supply_fan_status: 0 });
    await worker.run(25);
    for (let i = 0; i < 6; i += 1) {
      clock.at += 1;
      await park.set(ahu, { supply_fan_status: 1 - (i % 2) });
      await worker.run(5);
    }
    expect(await episodes()).toHaveLength(1);
    expect(await rulesOpen()).toEqual(['ahu-supply-fan-fails']);
  });

  test('is judged from where it stood by a worker that starts anew', async () => {
    await park.set(ahu, { supply_fan_status: 0 });
    await worker.run(12);
    clock.at += 5_000; // Nobody looked; short enough to go on counting.
    await testWorker(db, park, clock).run(4);
    expect(await rulesOpen()).toEqual(['ahu-supply-fan-fails']);
  });

  test('is not judged by time that nobody looked on', async () => {
    await park.set(ahu, { supply_fan_status: 0 });
    await worker.run(6);
    clock.at += 40_000;
    await worker.run(13);
    expect(await rulesOpen()).toEqual([]);
    await worker.run(9);
    expect(await rulesOpen()).toEqual(['ahu-supply-fan-fails']);
  });

  test('proves nothing by bad, stale or imported values', async () => {
    await park.set(ahu, { supply_fan_status: null }, { quality: 2 });
    await worker.run(25);
    clock.at += 1;
    await park.set(ahu, { supply_fan_status: 0 }, { flags: 8 });
    await worker.run(25);
    expect(await episodes()).toEqual([]);
    clock.at += 1;
    await park.set(ahu, { supply_fan_status: 0 });
    clock.at += 90_000; // heartbeat + 2 polls are 80 s
    await worker.run(25);
    expect(await episodes()).toEqual([]);
  });

  test('stays at fault while its gateway is away, and only the gateway is told of', async () => {
    await park.set(ahu, { supply_fan_status: 0 });
    await worker.run(25);
    await park.device(ahu, 'silent');
    for (let i = 0; i < 60; i += 1) {
      clock.at += 1_000;
      await worker.beat();
    }
    expect(await rulesOpen()).toEqual(['ahu-supply-fan-fails', 'gateway-offline']);
    await park.device(ahu, 'online');
    await park.set(ahu, { supply_fan_status: 0 });
    await worker.run(2);
    expect(await rulesOpen()).toEqual(['ahu-supply-fan-fails']);
  });

  test('groups what follows from its fan: 50 warm zones make no order', async () => {
    const zones: string[] = [];
    for (let i = 0; i < 50; i += 1) zones.push(await park.add('vav', `vav-${i}`, park.floors[i % 2]));
    for (const zone of zones)
      await park.set(zone, { zone_air_temperature: 22, zone_air_temperature_setpoint: 22, occupied: 1 });
    await given('zone-too-warm', 5);
    await park.set(ahu, { supply_fan_status: 0 });
    await worker.run(22);
    for (const zone of zones) await park.set(zone, { zone_air_temperature: 27 });
    await worker.run(7);
    const [cause, ...rest] = await episodes();
    expect(cause).toMatchObject({ rule: 'ahu-supply-fan-fails', causeId: null });
    expect(rest).toHaveLength(50);
    expect(new Set(rest.map(({ causeId }) => causeId))).toEqual(new Set([cause!.id]));
    expect(await openedEvents()).toEqual([cause!.id]);

    // The fan runs again, the zones stay warm far longer than rooms need: now they need somebody.
    await park.set(ahu, { supply_fan_status: 1 });
    await worker.run(12);
    clock.at += 31 * 60_000;
    await park.heard();
    await worker.beat();
    expect(await openedEvents()).toHaveLength(51);
  });

  test('takes over what was warm before it and has no order yet', async () => {
    const zone = await park.add('vav', 'vav', park.floors[0]);
    await park.set(zone, { zone_air_temperature: 30, zone_air_temperature_setpoint: 22, occupied: 1 });
    await given('zone-too-warm', 5);
    await worker.run(7);
    await park.set(ahu, { supply_fan_status: 0 });
    await worker.run(22);
    const [warm, fan] = await episodes();
    expect([warm!.rule, fan!.rule]).toEqual(['zone-too-warm', 'ahu-supply-fan-fails']);
    expect(warm!.causeId).toBe(fan!.id);
  });
});

describe('a meter', () => {
  test('that falls silent is a fault of its own, its gateway being there', async () => {
    const meter = await park.add('three-phase-meter', 'm');
    await park.device(meter, 'silent');
    await worker.run(30);
    expect(await rulesOpen()).toEqual([]);
    await worker.run(1);
    expect(await rulesOpen()).toEqual(['meter-silent']);
    await park.device(meter, 'online');
    await worker.run(11);
    expect(await rulesOpen()).toEqual([]);
  });

  test('whose register fell stays at fault until a swap is recorded, and late data change nothing', async () => {
    const meter = await park.add('three-phase-meter', 'm');
    await park.set(meter, { active_energy_import: 500_000 });
    await worker.run(2);
    await park.set(meter, { active_energy_import: 100 });
    await worker.run(1);
    expect(await episodes()).toMatchObject([
      {
        rule: 'meter-stepped-back',
        evidence: { values: { before: { value: 5_000, unit: 'kWh' }, after: { value: 1 } } },
      },
    ]);
    await park.set(meter, { active_energy_import: 499_000 }, { at: new Date(clock.at - 60_000) });
    await worker.run(3);
    await park.set(meter, { active_energy_import: 200 });
    await worker.run(3);
    expect(await episodes()).toHaveLength(1);

    await owner
      .insertInto('job')
      .values({
        ...{ id: crypto.randomUUID(), accountId: park.accountId, task: 'meter.swapped', key: meter },
        ...{ payload: {}, dueAt: clock.now() },
      })
      .execute();
    await drain('fault.opened');
    await worker.jobs();
    expect(await episodes()).toMatchObject([{ clearedWhy: 'swapped' }]);
    clock.at += 1;
    await park.set(meter, { active_energy_import: 300 });
    await worker.run(3);
    expect(await episodes()).toHaveLength(1);
  });
});

test('a sensor that is frozen while its neighbours move is found; one that is quiet with them is not', async () => {
  const zones: string[] = [];
  for (const key of ['v1', 'v2', 'v3', 'v4']) zones.push(await park.add('vav', key));
  const tell = async (i: number, zone: number, value: number) => {
    await park.set(zones[zone]!, {
      zone_air_temperature: value,
      zone_air_temperature_setpoint: 22,
      occupied: 1,
    });
    return i;
  };
  // A quiet hour: nobody moves, every sensor says the same again and again.
  for (let i = 0; i < 15; i += 1) {
    for (let zone = 0; zone < 4; zone += 1) await tell(i, zone, 22);
    await worker.run(2);
    clock.at += 58_000;
  }
  expect(await episodes()).toEqual([]);
  // The first one freezes at 22, the others live on.
  for (let i = 0; i < 13; i += 1) {
    for (let zone = 0; zone < 4; zone += 1) await tell(i, zone, zone === 0 ? 22 : 22 + i / 1_000 + zone);
    await worker.run(2);
    clock.at += 58_000;
  }
  expect(await episodes()).toMatchObject([{ rule: 'sensor-frozen', subjectId: zones[0] }]);
  await tell(0, 0, 22.001);
  await worker.run(2);
  expect(await rulesOpen()).toEqual([]);
});

test('a leak opens at once for the one who looks, and a rule that is switched off ends its episodes', async () => {
  const sensor = await park.add('leak-sensor', 'leak');
  await park.set(sensor, { leak: 1 });
  await worker.run(6);
  expect(await rulesOpen()).toEqual(['water-leak']);
  await given('water-leak', 5, false);
  await worker.run(1);
  expect(await episodes()).toMatchObject([{ clearedWhy: 'rule_off' }]);
  await worker.run(10);
  expect(await episodes()).toHaveLength(1);
});

test('equipment that is taken out of the park ends its episodes', async () => {
  const sensor = await park.add('leak-sensor', 'leak');
  await park.set(sensor, { leak: 1 });
  await worker.run(6);
  await ownerPool.query(`update equipment set kind = 'other' where id = $1`, [sensor]);
  await worker.run(1);
  expect(await episodes()).toMatchObject([{ clearedWhy: 'rule_off' }]);
});

test('two workers at once open one episode', async () => {
  const sensor = await park.add('leak-sensor', 'leak');
  await park.set(sensor, { leak: 1 });
  await worker.run(5);
  clock.at += 1_000;
  await park.heard();
  const others = Array.from({ length: 8 }, () => testWorker(db, park, clock));
  await Promise.all(others.map((one) => one.beat()));
  expect(await episodes()).toHaveLength(1);
});

test('a beat that dies at any place leaves nothing behind and is done again', async () => {
  const sensor = await park.add('leak-sensor', 'leak');
  await park.set(sensor, { leak: 1 });
  await worker.run(5);
  for (const place of ['before-fault', 'fault-opened'] as const) {
    clock.at += 1_000;
    await park.heard();
    const dying = testWorker(db, park, clock, {
      failpoint: (name) => {
        if (name === place) throw new Error('died');
      },
    });
    await expect(dying.beat()).rejects.toThrow('died');
    expect(await episodes()).toEqual([]);
    expect(await openedEvents()).toEqual([]);
  }
  await worker.run(1);
  expect(await episodes()).toHaveLength(1);
  expect(await openedEvents()).toHaveLength(1);
});

const openedEvents = async () =>
  (
    await owner
      .selectFrom('job')
      .select('key')
      .where('accountId', '=', park.accountId)
      .where('task', '=', 'fault.opened')
      .execute()
  ).map(({ key }) => key);

const drain = (task: string) => owner.deleteFrom('job').where('task', '=', task).execute();

async function given(rule: string, forS: number, enabled = true): Promise<void> {
  await ownerPool.query(
    `insert into fault_rule_setting (account_id, rule, enabled, for_s, updated_at, updated_by)
     values ($1, $2, $3, $4, now(), $5)`,
    [park.accountId, rule, enabled, forS, await aPerson()],
  );
}

async function aPerson(): Promise<string> {
  const id = crypto.randomUUID();
  await ownerPool.query(
    `insert into person (id, account_id, login, name, password_hash) values ($1, $2, $3, 'P', '$argon2id$x')`,
    [id, park.accountId, id],
  );
  return id;
}

// A park with equipment of every kind that rules look at, whose values a test sets as it likes, on a clock of its own.
import type { Pool } from 'pg';
import pino from 'pino';
import type { Db } from '../platform/db.ts';
import { EVENT_HAPPENED } from '../platform/events.ts';
import { newId } from '../platform/ids.ts';
import { doNextJob, type JobHandlers } from '../platform/run-jobs.ts';
import { beat, type BeatDeps, type BeatResult } from './beat.ts';
import { faultJobs } from './jobs.ts';
import { loadRules, type Rules } from './rules.ts';
import { planOf } from './run-faults.ts';

type PointSpec = readonly [key: string, unit: string, kind?: 'gauge' | 'register' | 'state'];

const kinds: Readonly<Record<string, readonly PointSpec[]>> = {
  ahu: [
    ['supply_fan_command', '1', 'state'],
    ['supply_fan_status', '1', 'state'],
    ['supply_air_temperature', '°C'],
    ['supply_air_temperature_setpoint', '°C'],
    ['cooling_valve_command', '%'],
    ['cooling_valve_position', '%'],
  ],
  vav: [
    ['zone_air_temperature', '°C'],
    ['zone_air_temperature_setpoint', '°C'],
    ['occupied', '1', 'state'],
  ],
  'three-phase-meter': [['active_energy_import', 'kWh', 'register']],
  'leak-sensor': [['leak', '1', 'state']],
};

export interface TestFloor {
  readonly id: string;
  readonly buildingId: string;
}

export interface FaultPark {
  readonly accountId: string;
  readonly gatewayId: string;
  /** Ground floor and first floor. */
  readonly floors: readonly [TestFloor, TestFloor];
  /** Adds equipment; `serves` are floors. @returns its id. */
  add(kind: string, key: string, floor?: TestFloor, serves?: readonly TestFloor[]): Promise<string>;
  /** Latest good values by key of the point, at the time of the clock unless told otherwise. */
  set(
    equipmentId: string,
    values: Readonly<Record<string, number | null>>,
    over?: { at?: Date; quality?: number; flags?: number },
  ): Promise<void>;
  device(equipmentId: string, state: 'online' | 'silent' | 'starting'): Promise<void>;
  /** The gateway is heard now. */
  heard(): Promise<void>;
}

export interface TestClock {
  readonly now: () => Date;
  /** Unix ms. */
  at: number;
}
export const testClock = (at = Date.UTC(2026, 10, 22, 6)): TestClock => {
  const clock = { at, now: () => new Date(clock.at) };
  return clock;
};

const name = (en: string) => JSON.stringify({ en, zh: `${en} 号` });

/** `owner` is not bound by policies. */
export async function givenFaultPark(owner: Pool, clock: TestClock): Promise<FaultPark> {
  const [accountId, siteId, buildingId, gatewayId] = [newId(), newId(), newId(), newId()];
  const floors = [newId(), newId()].map((id) => ({ id, buildingId })) as [TestFloor, TestFloor];
  const run = (text: string, values: unknown[]) => owner.query(text, values);
  await run('insert into account (id, key, name) values ($1, $2, $3)', [
    accountId,
    `a-${accountId}`,
    name('Park'),
  ]);
  await run(
    `insert into site (id, account_id, key, name, timezone, currency) values ($1, $2, 's', $3, 'Asia/Shanghai', 'CNY')`,
    [siteId, accountId, name('Site')],
  );
  await run(
    `insert into building (id, account_id, site_id, key, name, ord) values ($1, $2, $3, 'a', $4, 0)`,
    [buildingId, accountId, siteId, name('Building A')],
  );
  for (const [level, floor] of floors.entries())
    await run(
      'insert into floor (id, account_id, building_id, key, name, level) values ($1, $2, $3, $4, $5, $6)',
      [floor.id, accountId, buildingId, `a-${level}`, name(`Level ${level}`), level],
    );
  await run(`insert into gateway (id, account_id, building_id, key, name) values ($1, $2, $3, 'gw', $4)`, [
    gatewayId,
    accountId,
    buildingId,
    name('Gateway A'),
  ]);

  const park: FaultPark = {
    accountId,
    gatewayId,
    floors,

    async add(kind, key, floor = floors[0], serves = []) {
      const id = newId();
      await run(
        `insert into equipment (id, account_id, building_id, floor_id, gateway_id, key, name, kind, template, protocol, bus, params)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8 || '/test', 'bacnet', 'bus', '{}')`,
        [id, accountId, buildingId, floor.id, gatewayId, key, name(key), kind],
      );
      for (const { id: floorId } of serves)
        await run('insert into equipment_serves (account_id, equipment_id, floor_id) values ($1, $2, $3)', [
          accountId,
          id,
          floorId,
        ]);
      for (const [point, unit, pointKind = 'gauge'] of kinds[kind] ?? [])
        await run(
          `insert into point (id, account_id, equipment_id, key, name, unit, kind, resolution, decimals, protocol, poll_ms, heartbeat_ms)
           values ($1, $2, $3, $4, $5, $6, $7, $8, 1, 'bacnet', 10000, 60000)`,
          [newId(), accountId, id, point, name(point), unit, pointKind, pointKind === 'register' ? 0.01 : 1],
        );
      await park.device(id, 'online');
      return id;
    },

    async set(equipmentId, values, { at = clock.now(), quality = 0, flags = 0 } = {}) {
      await run(
        `insert into point_latest as l (point_num, account_id, ts, value, quality, flags)
         select p.num, p.account_id, $2, v.value, $4, $5
         from jsonb_each_text($3) e cross join lateral (select e.value::float8) v (value)
         join point p on p.equipment_id = $1 and p.key = e.key
         on conflict (point_num) do update set ts = excluded.ts, value = excluded.value, quality = excluded.quality,
           flags = excluded.flags where excluded.ts >= l.ts`,
        [equipmentId, at, JSON.stringify(values), quality, flags],
      );
    },

    async device(equipmentId, state) {
      await run(
        `insert into device_status (equipment_id, account_id, state, last_ok_at, error, reported_at)
         values ($1, $2, $3, $4, null, $4)
         on conflict (equipment_id) do update set state = excluded.state, reported_at = excluded.reported_at`,
        [equipmentId, accountId, state, clock.now()],
      );
    },

    async heard() {
      await run(
        `insert into gateway_status (gateway_id, account_id, heard_at) values ($1, $2, $3)
         on conflict (gateway_id) do update set heard_at = excluded.heard_at`,
        [gatewayId, accountId, clock.now()],
      );
    },
  };
  return park;
}

export interface TestWorker {
  readonly deps: BeatDeps;
  readonly rules: Rules;
  /** Looks at the rules of the park once, as they stand now. */
  beat(): Promise<BeatResult | undefined>;
  /** Beats every second for so long, the gateway being heard all the time. */
  run(seconds: number): Promise<void>;
  /** Does every job that is due. */
  jobs(): Promise<void>;
}

/** The worker's two loops, turned by hand. `db` is parkline_worker's. */
export function testWorker(
  db: Db,
  park: FaultPark,
  clock: TestClock,
  {
    failpoint = () => undefined,
    handlers = {},
  }: { failpoint?: BeatDeps['failpoint']; handlers?: JobHandlers } = {},
): TestWorker {
  const rules = loadRules();
  const deps: BeatDeps = { db, now: clock.now, newId, rules, failpoint };
  const log = pino({ enabled: false });
  return {
    deps,
    rules,
    beat: async () => beat(deps, park.accountId, await planOf(db, rules, park.accountId)),
    async run(seconds) {
      const plan = await planOf(db, rules, park.accountId);
      for (let i = 0; i < seconds; i += 1) {
        clock.at += 1_000;
        await park.heard();
        await beat(deps, park.accountId, plan);
      }
    },
    async jobs() {
      const all = { ...faultJobs({ now: clock.now, newId, rules }), ...handlers };
      const lane = { except: [EVENT_HAPPENED] };
      while (await doNextJob({ db, now: clock.now, log, handlers: all, lane }));
    },
  };
}

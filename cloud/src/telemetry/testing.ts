import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import { encodeEnvelope, type GatewayEvent, type SampleBatch, type UplinkHeader } from '@parkline/contract';
import type { Pool } from 'pg';
import { newId } from '../platform/ids.ts';

export interface TestPoint {
  readonly id: string;
  readonly num: number;
  readonly kind: 'gauge' | 'register';
  readonly resolution: number;
  readonly unit: 'kW' | 'kWh';
}

export interface TestGateway {
  readonly id: string;
  readonly key: string;
  readonly accountId: string;
  readonly buildingId: string;
  readonly privateKey: KeyObject;
  /** Two a meter: its power and its register. */
  readonly points: readonly TestPoint[];
  readonly meters: readonly {
    readonly id: string;
    readonly key: string;
    readonly points: readonly TestPoint[];
  }[];
}

export interface TestPark {
  readonly accountId: string;
  readonly zone: string;
  readonly gateways: readonly TestGateway[];
}

interface ParkShape {
  readonly gateways?: number;
  readonly meters?: number;
  readonly zone?: string;
  readonly accountId?: string;
}

/** An account with one site, and gateways with meters of two points each. `owner` is not bound by policies. */
export async function givenPark(owner: Pool, shape: ParkShape = {}): Promise<TestPark> {
  const { gateways = 1, meters = 2, zone = 'Europe/Berlin', accountId = newId() } = shape;
  const [siteId, buildingId] = [newId(), newId()];
  const name = { en: 'Name', zh: '名称' };
  await owner.query('insert into account (id, key, name) values ($1, $2, $3)', [
    accountId,
    `a-${accountId}`,
    name,
  ]);
  await owner.query(
    `insert into site (id, account_id, key, name, timezone, currency) values ($1, $2, 'site', $3, $4, 'EUR')`,
    [siteId, accountId, name, zone],
  );
  await owner.query(
    `insert into building (id, account_id, site_id, key, name, ord) values ($1, $2, $3, 'a', $4, 0)`,
    [buildingId, accountId, siteId, name],
  );
  const made: TestGateway[] = [];
  for (let n = 0; n < gateways; n += 1)
    made.push(await givenGateway(owner, { accountId, buildingId, n, meters }));
  return { accountId, zone, gateways: made };
}

async function givenGateway(
  owner: Pool,
  { accountId, buildingId, n, meters }: { accountId: string; buildingId: string; n: number; meters: number },
): Promise<TestGateway> {
  const id = newId();
  const key = `gw-${n}`;
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  await owner.query(
    `insert into gateway (id, account_id, building_id, key, name, public_key) values ($1, $2, $3, $4, '{"en": "G", "zh": "网"}', $5)`,
    [id, accountId, buildingId, key, publicKey.export({ type: 'spki', format: 'pem' })],
  );
  const made: TestGateway['meters'][number][] = [];
  for (let m = 0; m < meters; m += 1) {
    const meterKey = `m-${n}-${m}`;
    const { rows } = await owner.query<{ id: string }>(
      `insert into equipment (id, account_id, building_id, gateway_id, key, name, kind, template, protocol, bus, params)
       values ($1, $2, $3, $4, $5, $6, 'three-phase-meter', 'three-phase-meter/test', 'modbus', 'bus', '{}') returning id`,
      [newId(), accountId, buildingId, id, meterKey, { en: `Meter ${m}`, zh: `电表 ${m}` }],
    );
    const equipmentId = rows[0]!.id;
    made.push({ id: equipmentId, key: meterKey, points: await givenPoints(owner, accountId, equipmentId) });
  }
  return {
    id,
    key,
    accountId,
    buildingId,
    privateKey,
    meters: made,
    points: made.flatMap(({ points }) => points),
  };
}

async function givenPoints(owner: Pool, accountId: string, equipmentId: string): Promise<TestPoint[]> {
  const { rows } = await owner.query<TestPoint>(
    `insert into point (id, account_id, equipment_id, key, name, unit, kind, resolution, decimals, protocol, poll_ms, heartbeat_ms)
     select x.id::uuid, $1, $2, x.key, jsonb_build_object('en', x.key, 'zh', x.zh), x.unit, x.kind, x.resolution, 2, 'modbus', x.poll, x.beat
     from (values
       ($3, 'active_power_total', '总有功功率', 'kW', 'gauge', 1::float8, 5000, 60000),
       ($4, 'active_energy_import', '正向有功电能', 'kWh', 'register', 0.01::float8, 60000, 300000)
     ) x (id, key, zh, unit, kind, resolution, poll, beat)
     returning id, num, kind, resolution, unit`,
    [accountId, equipmentId, newId(), newId()],
  );
  return rows;
}

/** The sending side of a gateway: numbers, packs and signs messages as the edge does. */
export function createSender(
  { id: gatewayId, privateKey, points }: TestGateway,
  signer: KeyObject = privateKey,
) {
  const epoch = randomBytes(8).toString('hex');
  let seq = 0;

  function message(
    kind: UplinkHeader['kind'],
    json: string,
    count: number,
    at: number,
    over: Partial<UplinkHeader> = {},
  ) {
    seq += 1;
    const header: UplinkHeader = { gatewayId, epoch, seq, kind, count, from: at, to: at, ...over };
    const payload = zstdCompressSync(json, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    return encodeEnvelope(header, payload, (bytes) => sign(null, bytes, signer));
  }

  const table = (of: readonly Pick<TestPoint, 'id' | 'unit' | 'kind' | 'resolution'>[] = points) => {
    const json = JSON.stringify({
      points: of.map(({ id, unit, kind, resolution }) => ({ id, unit, kind, resolution })),
    });
    return { hash: createHash('sha256').update(json).digest('hex'), json, count: of.length };
  };

  return {
    epoch,
    /** Any JSON as a message, right or wrong. */
    raw: message,
    /** The message of a point table; default: all points of the gateway. */
    points(of?: Parameters<typeof table>[0], over?: Partial<UplinkHeader>) {
      const { json, count } = table(of);
      return message('points', json, count, Date.now(), over);
    },
    tableHash: (of?: Parameters<typeof table>[0]) => table(of).hash,
    events(...events: readonly GatewayEvent[]) {
      return message('events', JSON.stringify({ events }), events.length, events[0]?.at ?? 0);
    },
    /** Samples as [index of the point, Unix ms, value]; null is a bad one. */
    samples(
      rows: readonly (readonly [p: number, at: number, value: number | null])[],
      { table: hash = table().hash, ...over }: Partial<SampleBatch & UplinkHeader> = {},
    ) {
      const t0 = rows[0]?.[1] ?? 0;
      const { boundary, suspect, ...header } = over;
      const batch: SampleBatch = {
        table: hash,
        t0,
        p: rows.map(([p]) => p),
        dt: rows.map(([, at]) => at - t0),
        v: rows.map(([, , value]) => value),
        q: rows.map(([, , value]) => (value === null ? 2 : 0)),
        ...(boundary && { boundary }),
        ...(suspect && { suspect }),
      };
      return message('samples', JSON.stringify(batch), rows.length, t0, header);
    },
  };
}

/** Writes readings as they are, past ingest. Times are ISO or Unix ms; value null makes a bad one. */
export async function givenReadings(
  owner: Pool,
  { num }: Pick<TestPoint, 'num'>,
  rows: readonly (readonly [at: string | number, value: number | null, flags?: number])[],
): Promise<void> {
  const times = rows.map(([at]) => new Date(at).toISOString());
  await owner.query('select reading_ensure($1)', [times]);
  await owner.query(
    `insert into reading (point_num, ts, value, quality, flags)
     select $1, ts, value, case when value is null then 2 else 0 end, flags
     from unnest($2::timestamptz[], $3::float8[], $4::int2[]) x (ts, value, flags)`,
    [num, times, rows.map(([, value]) => value), rows.map(([, , flags]) => flags ?? 0)],
  );
}

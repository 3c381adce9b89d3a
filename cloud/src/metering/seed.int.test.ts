import { expect, test } from 'vitest';
import { parseParkFile, seedFleet } from '../fleet/index.ts';
import { givenAccount } from '../identity/testing.ts';
import { seedPlaces } from '../places/index.ts';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { seedTenancy } from '../tenancy/index.ts';
import { seedUsagePoints } from './seed.ts';

const { owner, pool } = await clonedDatabase();
const meter = (
  key: string,
  unit: number,
  more: string,
  kind = 'three-phase-meter',
  template = 'schneider-iem3250',
) =>
  `      - { key: ${key}, name: { en: ${key}, zh: 表 }, kind: ${kind}, template: ${kind}/${template}, bus: bus, unit: ${unit}${more} }`;
const parkOf = (...meters: string[]) => `
key: small
site: { key: harbour, name: { en: Harbour, zh: 海港 }, timezone: Asia/Shanghai, currency: CNY }
buildings:
  - key: a
    name: { en: A, zh: A }
    gateway: { key: gw-a, name: { en: G, zh: G } }
    floors:
      - key: a-1
        name: { en: One, zh: 一层 }
        level: 0
        spaces:
          - { key: a-101, name: { en: Unit 101, zh: 101 单元 }, kind: unit, areaM2: 100 }
          - { key: a-102, name: { en: Unit 102, zh: 102 单元 }, kind: unit, areaM2: 80 }
    buses: [{ key: bus, transport: tcp }]
    meters:
${meters.join('\n')}
`;

const seed = (accountId: string, text: string) =>
  withAccount(owner, accountId, async (trx) => {
    const park = parseParkFile(text);
    const places = await seedPlaces(trx, accountId, park, newId);
    await seedTenancy(trx, accountId, park, places.spaces, newId);
    await seedFleet(trx, accountId, { park, ...places }, newId);
    await seedUsagePoints(trx, accountId, park, newId);
  });
const found = async (accountId: string) => {
  const { rows } = await pool().query(
    `select u.id, u.key, u.commodity, u.unit, s.key as space, parent.key as parent, i.id as installation,
       p.key as point, e.key as meter
     from usage_point u join space s on s.id = u.space_id left join usage_point parent on parent.id = u.parent_id
     join meter_installation i on i.usage_point_id = u.id join point p on p.id = i.point_id
     join equipment e on e.id = p.equipment_id where u.account_id = $1 order by u.key`,
    [accountId],
  );
  return rows as Record<string, unknown>[];
};

test('every meter that measures a space hangs at a usage point of it, once', async () => {
  const accountId = await givenAccount(owner);
  const park = parkOf(
    meter('deep', 1, ', space: a-101, submeterOf: whole'),
    meter('main', 2, ''),
    meter('water', 3, ', space: a-101', 'water-meter', 'tuf-2000m'),
    meter('whole', 4, ', space: a-101, submeterOf: main'),
  );
  await seed(accountId, park);
  const first = await found(accountId);
  const ids = { id: expect.any(String), installation: expect.any(String), space: 'a-101' };
  const electric = { commodity: 'electricity', unit: 'kWh', point: 'active_energy_import' };
  expect(first).toEqual([
    { ...ids, ...electric, key: 'deep', meter: 'deep', parent: 'whole' },
    { ...ids, key: 'water', meter: 'water', parent: null, commodity: 'water', unit: 'm³', point: 'volume' },
    { ...ids, ...electric, key: 'whole', meter: 'whole', parent: null },
  ]);
  await seed(accountId, park);
  expect(await found(accountId)).toEqual(first);
});

test('a space that changed is followed, the installation stays', async () => {
  const accountId = await givenAccount(owner);
  await seed(accountId, parkOf(meter('one', 1, ', space: a-101')));
  const [before] = await found(accountId);
  await seed(accountId, parkOf(meter('one', 1, ', space: a-102')));
  expect(await found(accountId)).toEqual([{ ...before, space: 'a-102' }]);
});

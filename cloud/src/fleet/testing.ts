import { newId } from '../platform/ids.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { seedPlaces } from '../places/index.ts';
import { parseParkFile } from './park-file.ts';
import { seedFleet } from './seed.ts';

/** Two meters on one bus, the second behind the first, and a water meter in a second building. */
export const smallPark = `
key: small
site: { key: harbour, name: { en: Harbour, zh: 海港 }, timezone: Asia/Shanghai, currency: CNY }
buildings:
  - key: a
    name: { en: Building A, zh: A 座 }
    gateway: { key: gw-a, name: { en: Gateway A, zh: A 座网关 } }
    floors:
      - { key: a-1, name: { en: Ground floor, zh: 一层 }, level: 0 }
      - { key: a-b1, name: { en: Basement, zh: 地下一层 }, level: -1 }
    buses: [{ key: a-panel, transport: tcp }]
    meters:
      - { key: a-main, name: { en: Main, zh: 总表 }, kind: three-phase-meter,
          template: three-phase-meter/schneider-iem3250, bus: a-panel, unit: 1, floor: a-b1 }
      - { key: a-sub, name: { en: Sub, zh: 分表 }, kind: three-phase-meter,
          template: three-phase-meter/carlo-em24, bus: a-panel, unit: 2, floor: a-1, submeterOf: a-main }
  - key: b
    name: { en: Building B, zh: B 座 }
    gateway: { key: gw-b, name: { en: Gateway B, zh: B 座网关 } }
    floors: []
    buses: [{ key: b-riser, transport: rtu-over-tcp }]
    meters:
      - { key: b-water, name: { en: Water, zh: 水表 }, kind: water-meter,
          template: water-meter/tuf-2000m, bus: b-riser, unit: 7 }
`;

/** Puts a park file into an account. @returns the gateways in the order of the file. */
export const givenFleet = (db: Db, accountId: string, text = smallPark) =>
  withAccount(db, accountId, async (trx) => {
    const park = parseParkFile(text);
    const places = await seedPlaces(trx, accountId, park, newId);
    return seedFleet(trx, accountId, { park, ...places }, newId);
  });

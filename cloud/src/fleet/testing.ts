import { newId } from '../platform/ids.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { seedPlaces } from '../places/index.ts';
import { seedTenancy } from '../tenancy/index.ts';
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

/** A device of every protocol, spaces, two tenants and their leases. */
export const mixedPark = `
key: mixed
site: { key: mill, name: { en: Mill, zh: 磨坊 }, timezone: Asia/Shanghai, currency: CNY }
buildings:
  - key: m
    name: { en: Mill house, zh: 磨坊楼 }
    gateway: { key: gw-m, name: { en: Gateway M, zh: 磨坊网关 } }
    floors:
      - key: m-1
        name: { en: Ground floor, zh: 一层 }
        level: 0
        spaces:
          - { key: m-101, name: { en: Unit 101, zh: 101 单元 }, kind: unit, areaM2: 120.5 }
          - { key: m-102, name: { en: Unit 102, zh: 102 单元 }, kind: unit, areaM2: 80 }
          - { key: m-hall, name: { en: Hall, zh: 大厅 }, kind: common, areaM2: 60 }
    buses:
      - { key: m-panel, transport: tcp }
      - { key: m-bacnet, protocol: bacnet }
      - { key: m-opcua, protocol: opcua }
      - { key: m-mqtt, protocol: mqtt }
    meters:
      - { key: m-main, name: { en: Main, zh: 总表 }, kind: three-phase-meter,
          template: three-phase-meter/schneider-iem3250, bus: m-panel, unit: 1 }
      - { key: m-101, name: { en: Unit 101, zh: 101 单元 }, kind: three-phase-meter,
          template: three-phase-meter/carlo-em24, bus: m-panel, unit: 2, space: m-101, submeterOf: m-main }
      - { key: m-102, name: { en: Unit 102, zh: 102 单元 }, kind: three-phase-meter,
          template: three-phase-meter/carlo-em24, bus: m-panel, unit: 3, space: m-102, submeterOf: m-main }
    equipment:
      - { key: m-ahu, name: { en: Air handler, zh: 空调机组 }, kind: ahu, template: ahu/generic-bacnet, bus: m-bacnet,
          address: { device: 2001 }, floor: m-1, serves: [m-1, m-101], model: { flow: 4000 } }
      - { key: m-vav, name: { en: Air terminal, zh: 变风量末端 }, kind: vav, template: vav/generic-bacnet, bus: m-bacnet,
          address: { device: 2002 }, floor: m-1 }
      - { key: m-lift, name: { en: Elevator, zh: 电梯 }, kind: elevator, template: elevator/generic-opcua, bus: m-opcua,
          address: { root: Lift1 } }
      - { key: m-gate, name: { en: Gate, zh: 道闸 }, kind: gate, template: gate/generic-mqtt, bus: m-mqtt,
          address: { username: m-gate } }
tenants:
  - { key: atelier, name: { en: Atelier, zh: 工作室 } }
  - { key: bistro, name: { en: Bistro, zh: 小酒馆 } }
leases:
  - { key: atelier-101, tenant: atelier, spaces: [m-101], from: 2025-01-01, to: 2026-07-01, headcount: 9 }
  - { key: bistro-102, tenant: bistro, spaces: [m-102], from: 2025-03-01, to: null }
  - { key: bistro-101, tenant: bistro, spaces: [m-101], from: 2026-07-01, to: null }
`;

/** Puts a park file into an account. @returns the gateways in the order of the file. */
export const givenFleet = (db: Db, accountId: string, text = smallPark) =>
  withAccount(db, accountId, async (trx) => {
    const park = parseParkFile(text);
    const places = await seedPlaces(trx, accountId, park, newId);
    await seedTenancy(trx, accountId, park, places.spaces, newId);
    return seedFleet(trx, accountId, { park, ...places }, newId);
  });

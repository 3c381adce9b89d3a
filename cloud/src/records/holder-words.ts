import type { LocalText } from '../platform/i18n.ts';

/** What people call the rows of a table that keep something from being deleted; a test holds it against the catalogue. */
export const holderWords: Readonly<Record<string, LocalText>> = {
  building: { en: 'building', zh: '楼宇' },
  command: { en: 'command', zh: '控制指令' },
  commissioning_report: { en: 'commissioning report', zh: '调试报告' },
  device_status: { en: 'device state', zh: '设备状态' },
  equipment: { en: 'equipment', zh: '设备' },
  equipment_serves: { en: 'equipment that serves it', zh: '为其服务的设备' },
  fault: { en: 'fault', zh: '故障' },
  floor: { en: 'floor', zh: '楼层' },
  gateway: { en: 'gateway', zh: '网关' },
  gateway_event: { en: 'report of a gateway', zh: '网关上报' },
  gateway_status: { en: 'gateway state', zh: '网关状态' },
  invitation: { en: 'invitation', zh: '邀请' },
  lease: { en: 'lease', zh: '租约' },
  lease_space: { en: 'lease', zh: '租约' },
  meter_installation: { en: 'installed meter', zh: '装表记录' },
  person: { en: 'person', zh: '人员' },
  person_area: { en: 'area of a technician', zh: '技术员责任区域' },
  point: { en: 'point', zh: '点位' },
  point_table: { en: 'point list', zh: '点位表' },
  space: { en: 'space', zh: '空间' },
  tariff: { en: 'tariff', zh: '电价' },
  uplink_receipt: { en: 'received batch', zh: '接收批次' },
  usage_point: { en: 'usage point', zh: '计量点' },
  work_order: { en: 'work order', zh: '工单' },
};

/** A table that nobody has named yet goes by its own name. */
export const holderName = (table: string): LocalText => holderWords[table] ?? { en: table, zh: table };

import type { Language, OrderHistoryItem, Skill, WorkOrder } from '@parkline/contract';
import { inLanguage, type LocalText } from '../platform/i18n.ts';
import type { DispatchReason, Fit } from './dispatch.ts';
import { orderNumber } from './domain.ts';
import type { OrderRow } from './repository.ts';
import type { OrderEvent } from './tables.ts';

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;

/** The order as a person reads it. Pure. */
export function orderView(row: OrderRow, language: Language): WorkOrder {
  const { faultId, faultOpenedAt, faultClearedAt, technicianId } = row;
  const words = (text: LocalText | null): string | null => (text ? inLanguage(text, language) : null);
  return {
    ...{ id: row.id, number: orderNumber(row.year, row.seq), title: inLanguage(row.title, language) },
    ...{ state: row.state, severity: row.severity, skill: row.skill, faultId },
    fault:
      faultId && faultOpenedAt
        ? {
            state: faultClearedAt ? 'cleared' : 'open',
            ...{ openedAt: faultOpenedAt.toISOString(), clearedAt: iso(faultClearedAt) },
          }
        : null,
    ...{ equipmentId: row.equipmentId, equipmentName: words(row.equipmentName) },
    ...{ buildingId: row.buildingId, floorId: row.floorId },
    place: placeWords(row, language),
    technician: technicianId ? { id: technicianId, name: row.technicianName ?? '' } : null,
    dispatchReason: row.dispatchReason ? reasonWords(row.dispatchReason, row, language) : null,
    ...{ acceptBy: iso(row.acceptBy), escalatedAt: iso(row.escalatedAt) },
    createdAt: row.createdAt.toISOString(),
    ...{ dispatchedAt: iso(row.dispatchedAt), acceptedAt: iso(row.acceptedAt) },
    ...{ startedAt: iso(row.startedAt), doneAt: iso(row.doneAt), note: row.note },
    ...{ photos: row.photos, version: row.version },
  };
}

type Placed = Pick<OrderRow, 'buildingName' | 'floorName' | 'skill'>;

function placeWords({ buildingName, floorName }: Placed, language: Language): string {
  const parts = [buildingName, floorName].flatMap((name) => (name ? [inLanguage(name, language)] : []));
  return parts.join(language === 'zh-CN' ? '' : ', ');
}

const skillWords: Readonly<Record<Skill, LocalText>> = {
  hvac: { en: 'HVAC', zh: '暖通' },
  electrical: { en: 'electrical', zh: '电气' },
  plumbing: { en: 'plumbing', zh: '给排水' },
  elevator: { en: 'elevator', zh: '电梯' },
  security: { en: 'security', zh: '安防' },
  metering: { en: 'metering', zh: '计量' },
};

/** Why this technician, or why nobody. Pure. */
export function reasonWords(reason: DispatchReason, place: Placed, language: Language): string {
  const skill = inLanguage(skillWords[place.skill], language);
  const isZh = language === 'zh-CN';
  switch (reason.how) {
    case 'fits': {
      const where = areaWords(reason.by, place, language);
      if (reason.among === 1)
        return isZh
          ? `${reason.name}：具备${skill}技能，${where}，是唯一合适的人员，手头 ${reason.openOrders} 单。`
          : `${reason.name} has the skill ${skill}, ${where}, and is the only one who fits (open orders: ${reason.openOrders}).`;
      return isZh
        ? `${reason.name}：具备${skill}技能，${where}，手头 ${reason.openOrders} 单，为 ${reason.among} 名合适人员中最少。`
        : `${reason.name} has the skill ${skill}, ${where}, and of the ${reason.among} who fit the fewest open orders (${reason.openOrders}).`;
    }
    case 'elsewhere':
      return isZh
        ? `该区域没有具备${skill}技能的人员；${reason.name} 具备该技能，手头 ${reason.openOrders} 单，为 ${reason.among} 人中最少。`
        : `Nobody with the skill ${skill} works here; ${reason.name} has it and of ${reason.among} the fewest open orders (${reason.openOrders}).`;
    case 'nobody':
      return isZh ? `没有具备${skill}技能的人员。` : `Nobody has the skill ${skill}.`;
    case 'person':
      return isZh
        ? `由 ${reason.person} 指派给 ${reason.name}。`
        : `${reason.person} gave it to ${reason.name}.`;
    case 'taken':
      return isZh ? `${reason.name} 自行接单。` : `${reason.name} took it.`;
  }
}

function areaWords(by: Fit, { buildingName, floorName }: Placed, language: Language): string {
  const isZh = language === 'zh-CN';
  const name = by === 'floor' ? floorName : buildingName;
  if (by === 'park' || !name) return isZh ? '负责整个园区' : 'works in the whole park';
  return isZh ? `负责${inLanguage(name, language)}` : `works on ${inLanguage(name, language)}`;
}

interface HistoryRow {
  readonly at: Date;
  readonly who: string | null;
  readonly what: OrderEvent['what'];
  readonly facts: OrderEvent['facts'];
}

/** Pure. */
export function historyView(row: HistoryRow, place: Placed, language: Language): OrderHistoryItem {
  const event = { what: row.what, facts: row.facts } as OrderEvent;
  const { at, who, what } = row;
  return { at: at.toISOString(), who, what, detail: eventWords(event, place, language) };
}

function eventWords(event: OrderEvent, place: Placed, language: Language): string {
  const say = (en: string, zh: string): string => (language === 'zh-CN' ? zh : en);
  switch (event.what) {
    case 'created':
      return event.facts.fault ? say('Made for a fault.', '由故障生成。') : say('Made.', '已创建。');
    case 'dispatched':
      return reasonWords(event.facts, place, language);
    case 'accepted':
      return say('Accepted.', '已接单。');
    case 'started':
      return say('Work has begun.', '已开始处理。');
    case 'finished':
      return event.facts.note ?? say('Done.', '已完成。');
    case 'cancelled':
      return event.facts.note ?? say('Cancelled.', '已取消。');
    case 'photo_added':
      return event.facts.kind === 'before'
        ? say('Photo of before.', '处理前照片。')
        : say('Photo of after.', '处理后照片。');
    case 'escalated':
      return event.facts.why === 'nobody_fits'
        ? say('To the supervisor: nobody fits.', '转主管：无合适人员。')
        : say('To the supervisor: nobody accepted in time.', '转主管：未按时接单。');
    case 'fault_cleared':
      return clearedWords(event.facts.why, say);
  }
}

function clearedWords(why: string, say: (en: string, zh: string) => string): string {
  if (why === 'acknowledged') return say('The fault was acknowledged as settled.', '故障已确认处置。');
  if (why === 'swapped') return say('The swap of the meter was recorded.', '已登记换表。');
  if (why === 'rule_off') return say('The rule of the fault was switched off.', '故障规则已停用。');
  return say('The fault is over: the values are normal again.', '故障已消除，数值恢复正常。');
}

import type { LocalText } from '../platform/i18n.ts';

/** What is wrong with a field of a device, a point or a bus, said behind the name of the field. */
export const thingWords = {
  noTemplate: (id: string) => ({ en: `there is no template ${id}`, zh: `没有模板 ${id}` }),
  noDriver: (protocol: string) => ({
    en: `there is no driver for ${protocol}`,
    zh: `没有 ${protocol} 协议的驱动`,
  }),
  otherKind: (template: string) => ({
    en: `is of another kind or protocol than ${template}`,
    zh: `与 ${template} 的设备类型或协议不同`,
  }),
  noFloor: { en: 'is no floor of the building', zh: '不是该楼宇的楼层' },
  noSpace: { en: 'is no space of the building', zh: '不是该楼宇的空间' },
  otherFloor: { en: 'is on another floor than the one named', zh: '不在所填的楼层' },
  noPlace: { en: 'is no floor or space of this account', zh: '不是本账户的楼层或空间' },
  taken: (key: string) => ({ en: `${key} is taken`, zh: `${key} 已被占用` }),
  otherProtocol: (spoken: string, wanted: string) => ({
    en: `speaks ${spoken}, and the template ${wanted}`,
    zh: `该总线使用 ${spoken} 协议，而模板为 ${wanted}`,
  }),
  sameAddress: (address: string, key: string) => ({
    en: `${address} is that of ${key} on the same bus`,
    zh: `${address} 与同一总线上的 ${key} 重复`,
  }),
  used: { en: 'stays: devices hang on it', zh: '不能更改：其上接有设备' },
  secret: { en: 'is a secret: set it by itself, it is kept sealed', zh: '是密钥：请单独设置，将加密保存' },
  port: { en: 'is no port: a whole number from 1 to 65535', zh: '端口须为 1 至 65535 的整数' },
  itself: { en: 'is the device itself', zh: '是设备自身' },
  noDevice: { en: 'is no device of this account', zh: '不是本账户的设备' },
  noSuchDevice: (key: string) => ({ en: `there is no device "${key}"`, zh: `没有编号为“${key}”的设备` }),
  noMeter: (key: string) => ({ en: `${key} is no meter`, zh: `${key} 不是表计` }),
  loop: (key: string) => ({
    en: `${key} itself hangs behind this one`,
    zh: `${key} 本身是此表的下级，形成循环`,
  }),
  sourceNeeded: { en: 'is needed: the template has no such point', zh: '必填：模板中没有该点位' },
  ofTemplate: { en: 'is said by the template', zh: '由模板规定' },
  hasReadings: { en: 'stays: there are readings in it', zh: '不能更改：已有以此记录的读数' },
  notWritable: { en: 'is not foreseen by the template', zh: '模板不允许写入' },
  shortHeartbeat: { en: 'is shorter than the time between two polls', zh: '短于轮询周期' },
  below: (least: number) => ({
    en: `is below ${least}, the least that the template allows`,
    zh: `低于模板允许的下限 ${least}`,
  }),
  above: (most: number) => ({
    en: `is above ${most}, the most that the template allows`,
    zh: `高于模板允许的上限 ${most}`,
  }),
  longer: (seconds: number) => ({
    en: `is longer than the ${seconds} s of the template`,
    zh: `长于模板规定的 ${seconds} 秒`,
  }),
  oftener: (times: number) => ({
    en: `is more than the ${times} of the template`,
    zh: `多于模板规定的 ${times} 次`,
  }),
  stronger: (priority: number) => ({
    en: `is stronger than ${priority} of the template`,
    zh: `高于模板规定的优先级 ${priority}`,
  }),
  safety: { en: 'stays: people may be hurt', zh: '不能取消：涉及人身安全' },
} as const satisfies Readonly<Record<string, LocalText | ((...of: never[]) => LocalText)>>;

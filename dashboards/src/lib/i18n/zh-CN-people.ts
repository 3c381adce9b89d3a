/** People and their rights, in Chinese; part of `zh-CN.ts`. */
export const zhCNPeople = {
  admin: {
    people: '人员',
    places: '位置',
    things: '设备',
    gateways: '网关',
    commissioning: '调试验收',
    integrations: '系统集成',
    audit: '审计',
  },
} as const;

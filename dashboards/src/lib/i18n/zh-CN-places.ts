/** Places, tenants and leases, in Chinese; part of `zh-CN.ts`. */
export const zhCNPlaces = {} as const;

/** Gateways, in Chinese; part of `zh-CN.ts`. */
export const zhCNGateways = {} as const;

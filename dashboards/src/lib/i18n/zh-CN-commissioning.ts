/** Commissioning, in Chinese; part of `zh-CN.ts`. */
export const zhCNCommissioning = {} as const;

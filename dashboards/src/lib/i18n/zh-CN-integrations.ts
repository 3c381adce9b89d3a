/** Integrations, in Chinese; part of `zh-CN.ts`. */
export const zhCNIntegrations = {} as const;

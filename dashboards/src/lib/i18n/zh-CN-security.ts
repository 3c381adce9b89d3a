/** Second factors and sessions, in Chinese; part of `zh-CN.ts`. */
export const zhCNSecurity = {} as const;

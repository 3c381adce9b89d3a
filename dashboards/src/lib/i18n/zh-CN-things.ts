/** Equipment, points and plans, in Chinese; part of `zh-CN.ts`. */
export const zhCNThings = {} as const;

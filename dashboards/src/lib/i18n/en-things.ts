/** Equipment, points and plans, in English; part of `en.ts`. */
export const enThings = {} as const;

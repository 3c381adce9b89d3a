/** Second factors and sessions, in English; part of `en.ts`. */
export const enSecurity = {} as const;

/** Commissioning, in English; part of `en.ts`. */
export const enCommissioning = {} as const;

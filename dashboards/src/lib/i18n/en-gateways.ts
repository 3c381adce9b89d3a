/** Gateways, in English; part of `en.ts`. */
export const enGateways = {} as const;

/** Integrations, in English; part of `en.ts`. */
export const enIntegrations = {} as const;

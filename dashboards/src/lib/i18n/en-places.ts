/** Places, tenants and leases, in English; part of `en.ts`. */
export const enPlaces = {} as const;

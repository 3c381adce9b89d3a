/** People and their rights, in English; part of `en.ts`. */
export const enPeople = {
  admin: {
    people: 'People',
    places: 'Places',
    things: 'Equipment',
    gateways: 'Gateways',
    commissioning: 'Commissioning',
    integrations: 'Integrations',
    audit: 'Audit',
  },
} as const;

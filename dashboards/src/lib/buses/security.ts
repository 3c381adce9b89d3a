import type { Bus } from '@parkline/contract';

/**
 * Whether it is spoken on the bus without signature, encryption and proof of who answers, by waiver, although its protocol has
 * them. Pure.
 */
export const isUnprotected = ({ protocol, params }: Pick<Bus, 'protocol' | 'params'>): boolean =>
  protocol === 'opcua' && [params['securityPolicy'], params['securityMode']].includes('None');

import type { DriverModule } from '@parkline/kit';
import { driver as misbehaving } from './misbehaving.ts';

/** The driver beside the misbehaving one: it does nothing but answer. */
export const driver: DriverModule = { ...misbehaving, protocol: 'steady' };

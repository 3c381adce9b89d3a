import type { DeviceState, Gateway } from '@parkline/contract';
import type { Tone } from './StatusBadge.svelte';

/** The one colour of each state, everywhere. */
export const deviceTones: Record<DeviceState, Tone> = {
  online: 'ok',
  silent: 'warning',
  starting: 'notice',
  unknown: 'stale',
};

export const gatewayTones: Record<Gateway['state'], Tone> = {
  online: 'ok',
  offline: 'critical',
  never: 'stale',
};
